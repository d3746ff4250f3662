"""Rule summary: all figures with their captions in one PDF."""

from memloc.tables.job import start

job = start(snakemake)

from pathlib import Path

from memloc.run.atomic import atomic_path
from memloc.summary.document import compiled, document

params = job.params
folder = Path(job.input.captions[0]).parent
headline = Path(job.input.headline).read_text().splitlines()
template = Path(job.input.template).read_text()
source = document(template, params.study, params.model, headline, params.chapters, folder)
with atomic_path(job.output[0]) as temporary:
    Path(temporary).write_bytes(compiled(source, folder))
job.log(f"{sum(map(len, params.chapters.values()))} figures")
