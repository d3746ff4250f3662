"""Rule explorer of a study of several models: their pages side by side."""

from memloc.run.rule import start

start(snakemake)

from memloc.explorer.files import write_comparison
from memloc.run.atomic import atomic_folder

with atomic_folder(snakemake.output[0]) as folder:
    write_comparison(folder, snakemake.params.study, snakemake.params.models)
