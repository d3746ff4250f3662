"""Rule story: the findings of the study, for the report's first page and the last lines of a run."""

from memloc.tables.job import start

job = start(snakemake)

from pathlib import Path

from memloc.claims.findings import READ, findings
from memloc.claims.story import answers, link
from memloc.run.atomic import write_text
from memloc.run.templates import escaped, fill

params, claims = job.params, job.read("claims")
tables = {name: job.read(name, columns) for name, columns in READ.items() if name in job.tables}
lines = findings(tables, job.settings)
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
