"""Rule bench: the page that says how fast each stage is, on which machine, and which goals were met."""

from memloc.tables.job import start

job = start(snakemake)

from pathlib import Path

from memloc.bench.page import page
from memloc.run.atomic import atomic_path
from memloc.tables import storage

template = Path(job.input.template).read_text()
with atomic_path(job.output[0]) as temporary:
    Path(temporary).write_text(page(template, job.read("bench"), storage.provenance(job.input.bench)))
