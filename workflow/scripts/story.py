"""Rule story: the findings of the study, for the report's first page and the last lines of a run."""

from memloc.tables.job import start

job = start(snakemake)

from pathlib import Path

from memloc.claims.story import answers, headline, link
from memloc.run.atomic import write_text
from memloc.run.templates import escaped, fill

params = job.params
sets, claims = job.read("sets"), job.read("claims")
lines = headline(sets, claims)
numbers = {
    "study": params.study,
    "model": params.model,
    "settings": params.config,
    "headline": map(escaped, lines),
    "questions": answers(claims),
    "explorer": link("index.html", "The explorer"),
}
write_text(job.output.story, fill(Path(job.input.template).read_text(), numbers))
write_text(job.output.headline, "".join(f"{line}\n" for line in lines))
job.log(" ".join(lines))
