"""Rule story of a study of several models: the headline of each."""

from memloc.tables.job import start

job = start(snakemake)

from pathlib import Path

from memloc.run.atomic import write_text
from memloc.run.templates import escaped, fill

params = job.params
headlines = {
    model: Path(path).read_text().splitlines()
    for model, path in zip(params.models, job.input.headlines, strict=True)
}
numbers = {"study": params.study, "models": {model: map(escaped, told) for model, told in headlines.items()}}
write_text(job.output.story, fill(Path(job.input.template).read_text(), numbers))
lines = (f"{model}: {line}\n" for model, told in headlines.items() for line in told)
write_text(job.output.headline, "".join(lines))
