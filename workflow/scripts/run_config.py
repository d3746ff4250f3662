"""Rule run_config: the effective settings of the study, defaults included."""

from memloc.tables.job import start

job = start(snakemake)

from pathlib import Path

from memloc.run.atomic import atomic_path

with atomic_path(job.output[0]) as temporary:
    Path(temporary).write_text(job.params.effective)
