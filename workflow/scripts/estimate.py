"""Rule estimate: the cost of the study before it runs; time limits of jobs follow it."""

from memloc.tables.job import start

job = start(snakemake)

from pathlib import Path

from memloc.resources.estimate import estimate, studies, summary
from memloc.resources.machine import NAMED, this_machine
from memloc.run.steps import Step, needed
from memloc.settings.study import Settings
from memloc.tables import storage
from memloc.tables.schemas import schema_of

params = job.params
steps = needed([Step(**rule) for rule in params.ran], params.targets)
settings = Settings.model_validate(params.whole)
machine = NAMED.get(settings.estimate.machine) or this_machine(params.cores)
frame = estimate(steps, studies(steps, params.results, settings), machine)
for study, rows in frame.groupby([step.study for step in steps], sort=False):
    storage.write(schema_of("estimate"), rows, Path(study, "benchmarks/estimate.parquet"), job.stamp)
job.log(summary(steps, frame, machine))
