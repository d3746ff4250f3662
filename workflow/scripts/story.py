"""Rule story: what the study found, for the report's first page and the last lines of a run."""

from memloc.tables.job import start

job = start(snakemake)

from pathlib import Path

from memloc.claims.findings import READ, findings, studied
from memloc.run.atomic import write_text
from memloc.run.templates import escaped, fill
from memloc.tables import storage
from memloc.tables.terms.claims import outcomes

params, tables = job.params, {name: job.read(name, READ[name]) for name in job.tables}
if job.input.headlines:
    told = [Path(path).read_text().splitlines() for path in job.input.headlines]
else:
    model = storage.provenance(job.input.scores)["model"]
    told = [[studied(model, tables.get("training_stream")), *findings(tables, job.settings)]]
models = dict(zip(params.models, told, strict=True))
if job.input.headlines and tables:
    verdicts = tables["claims"].set_index("id").verdict
    models["all trainings together"] = [f"Which claims hold? {outcomes(verdicts)}"]
lines = [f"{name}: {line}" if len(models) > 1 else line for name, own in models.items() for line in own]
numbers = {
    "study": params.study,
    "settings": params.config,
    "models": {name: map(escaped, own) for name, own in models.items()},
}
write_text(job.output.story, fill(Path(job.input.template).read_text(), numbers))
write_text(job.output.headline, "".join(f"{line}\n" for line in lines))
