"""Rule bundle: all results of a study, with their code and provenance, in one machine-readable file."""

from memloc.tables.job import start

job = start(snakemake)

from pathlib import Path

from memloc.record.crate import record
from memloc.run.atomic import atomic_path
from memloc.run.steps import Step, needed

params = job.params
steps = needed([Step(**rule) for rule in params.ran], job.input)
folder = Path(job.output[0]).parent
crate = record(params.study, folder, steps, {place: Path(path) for place, path in params.code_files.items()})
with atomic_path(job.output[0]) as temporary:
    crate.write_zip(temporary)
