"""Rule story of a study of several models: the headline of each."""

from memloc.tables.job import start

job = start(snakemake)

from pathlib import Path

from memloc.run.atomic import atomic_path
from memloc.run.templates import escaped, fill

params = job.params
headlines = {
    model: Path(path).read_text().splitlines()
    for model, path in zip(params.models, job.input.headlines, strict=True)
}
numbers = {"study": params.study, "models": {model: map(escaped, told) for model, told in headlines.items()}}
with atomic_path(job.output.story) as temporary:
    Path(temporary).write_text(fill(Path(job.input.template).read_text(), numbers))
with atomic_path(job.output.headline) as temporary:
    Path(temporary).write_text(
        "".join(f"{model}: {line}\n" for model, told in headlines.items() for line in told)
    )
