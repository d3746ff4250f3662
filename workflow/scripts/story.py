"""Rule story: what the study found, for the report's first page and the last lines of a run."""

from memloc.run.rule import log, start

start(snakemake)

from pathlib import Path

from memloc.claims.story import answers, headline, link
from memloc.run.atomic import atomic_path
from memloc.run.templates import escaped, fill
from memloc.tables import storage
from memloc.tables.schemas import schema_of

params = snakemake.params
sets, claims = (storage.read(schema_of(Path(path).stem), path) for path in snakemake.input.tables)
lines = headline(sets, claims)
numbers = {
    "study": params.study,
    "model": params.model,
    "settings": params.config,
    "headline": map(escaped, lines),
    "questions": answers(claims),
    "explorer": link("index.html", "The explorer"),
}
with atomic_path(snakemake.output.story) as temporary:
    Path(temporary).write_text(fill(Path(snakemake.input.template).read_text(), numbers))
with atomic_path(snakemake.output.headline) as temporary:
    Path(temporary).write_text("".join(f"{line}\n" for line in lines))
log(" ".join(lines))
