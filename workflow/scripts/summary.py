"""Rule summary: all figures with their captions in one PDF."""

from memloc.run.rule import log, start

start(snakemake)

from pathlib import Path

from memloc.run.atomic import atomic_path
from memloc.summary.document import Chapter, compiled, document

params = snakemake.params
folder = Path(snakemake.input.captions[0]).parent
chapters = [Chapter(title, figures) for title, figures in params.chapters.items()]
source = document(Path(snakemake.input.template).read_text(), params.study, params.model, chapters, folder)
with atomic_path(snakemake.output[0]) as temporary:
    Path(temporary).write_bytes(compiled(source, folder))
log(f"{sum(len(chapter.figures) for chapter in chapters)} figures")
