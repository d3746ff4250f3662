"""Rule estimate: the cost of the study before it runs; time limits of jobs follow it."""

from memloc.tables.job import start

job = start(snakemake)

from pathlib import Path

from memloc.claims.before_a_run import out_of_reach
from memloc.planning.estimate import estimate, total
from memloc.run.console import spoken
from memloc.run.steps import Step, needed
from memloc.settings.study import Settings
from memloc.tables import storage
from memloc.tables.schemas import schema_of

params = job.params
steps = needed([Step(**rule) for rule in params.ran], params.targets)
settings = Settings.model_validate(params.whole)
frame = estimate(steps, params.results, settings, params.remote)
for study, rows in frame.groupby([step.study for step in steps], sort=False):
    storage.write(schema_of("estimate"), rows, Path(study, "benchmarks/estimate.parquet"), job.stamp)
seconds = total(frame, params.cores, params.gpus)
said = "unknown: jobs take a GPU, and this machine has none" if seconds is None else spoken(seconds)
table = frame.sort_values("seconds").to_string(index=False, float_format="%.0f")
job.tell(f"{table}\ntotal: {said} on {params.cores} cores; downloads are not timed")
for line in out_of_reach(settings):
    job.tell(f"too few to decide: {line}")
