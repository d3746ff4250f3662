"""Rules fig1 .. fig12, table1, ..: draw one figure from tables and fill in its caption."""

from memloc.tables.job import start

job = start(snakemake)

import importlib

from memloc.figures.parts import files

params = job.params
module = importlib.import_module(params.module)
found = {name: job.read(name) for name in job.tables if job.input[name] and name != "paragraphs"}
if "paragraphs" in job.tables:
    # Of this long table only what is drawn: paragraphs of `sets` that analyses use have a continuation there.
    shown = found[params.shown] if params.shown else None
    ids = None if shown is None else shown.dropna(subset=shown.columns.intersection(["continuation"])).id
    found["paragraphs"] = job.read("paragraphs", params.paragraphs, ids)
drawing = module.draw(found, job.settings)
job.log(str(drawing.numbers))
if (claims := found.get("claims")) is not None:
    claims = claims[claims.figures.str.split().map(lambda names: params.figure in names)]
files.write(
    drawing, job.output, job.input.caption, params.study, job.settings.paragraph.before, params.model, claims
)
for name in job.made:
    job.write(**{name: drawing.data})
