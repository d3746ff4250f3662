"""Rule bench: the page with the speed of each stage, its goal, and the machine."""

from memloc.tables.job import start

job = start(snakemake)

from pathlib import Path

from memloc.bench.page import page
from memloc.run.atomic import write_text
from memloc.tables import storage

template = Path(job.input.template).read_text()
write_text(job.output[0], page(template, job.read("bench"), storage.provenance(job.input.bench)))
