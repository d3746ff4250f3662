"""Rule run_config: the effective settings of the study, defaults included."""

from memloc.run.rule import start

start(snakemake)

from pathlib import Path

from memloc.run.atomic import atomic_path

with atomic_path(snakemake.output[0]) as temporary:
    Path(temporary).write_text(snakemake.params.effective)
