"""Rules fig1 .. fig12, table1, ..: draw one figure from tables and fill in its caption."""

from memloc.run.rule import log, provenance, start

start(snakemake)

import importlib
from pathlib import Path

import pandas as pd

from memloc.figures.parts import files
from memloc.settings.sections import sections
from memloc.tables import storage
from memloc.tables.schemas import schema_of

params = snakemake.params
module = importlib.import_module(f"memloc.figures.{params.figure}")
paths = {Path(path).stem: path for path in snakemake.input.tables}
found = {name: storage.read(schema_of(name), path) for name, path in paths.items() if name != "paragraphs"}
if "paragraphs" in paths:
    # Of this long table only what is drawn: paragraphs of `sets` that analyses use have a continuation there.
    shown = found[params.shown] if params.shown else None
    ids = None if shown is None else shown.dropna(subset=shown.columns.intersection(["continuation"])).id
    found["paragraphs"] = storage.read(schema_of("paragraphs"), paths["paragraphs"], params.paragraphs, ids)
drawing = module.draw(found, sections(params.settings))
log(str(drawing.numbers))
judged = [storage.read(schema_of("claims"), path) for path in snakemake.input.claims]
claims = pd.concat(judged) if judged else None
if claims is not None:
    claims = claims[claims.figures.str.split().map(lambda names: params.figure in names)]
files.write(drawing, snakemake.output, snakemake.input.caption, params.study, params.model, claims)
if stored := snakemake.output.get("stored"):
    storage.write(schema_of(Path(stored).stem), drawing.data, stored, provenance(snakemake))
