"""Rule explorer of a study of several models: their pages side by side."""

from memloc.tables.job import start

job = start(snakemake)

from memloc.explorer.files import write_comparison
from memloc.run.atomic import atomic_folder

with atomic_folder(job.output[0]) as folder:
    write_comparison(folder, job.params.study, job.params.models)
