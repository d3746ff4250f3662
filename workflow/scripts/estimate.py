"""Rule estimate: the cost of the study before it runs; time limits of jobs follow it."""

from memloc.tables.job import start

job = start(snakemake)

from pathlib import Path

from memloc.claims.before_a_run import out_of_reach
from memloc.planning.estimate import estimate, summary
from memloc.run.steps import Step, needed
from memloc.settings.study import Settings
from memloc.tables import storage
from memloc.tables.schemas import schema_of

params = job.params
steps = needed([Step(**rule) for rule in params.ran], params.targets)
settings = Settings.model_validate(params.whole)
frame, here = estimate(steps, params.results, settings, params.remote)
for study, rows in frame.groupby([step.study for step in steps], sort=False):
    storage.write(schema_of("estimate"), rows, Path(study, "benchmarks/estimate.parquet"), job.stamp)
job.tell(summary(frame, params.cores, here["gpus"]))
for line in out_of_reach(settings):
    job.tell(f"too few to decide: {line}")
