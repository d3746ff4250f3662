"""Rules models_memorized, models_repeats, ..: draw one figure from the tables of several models."""

from memloc.run.rule import log, start

start(snakemake)

import importlib
from pathlib import Path

from memloc.figures.parts import files
from memloc.settings.sections import sections
from memloc.tables import across_models, storage
from memloc.tables.schemas import schema_of

params = snakemake.params
module = importlib.import_module(f"memloc.figures.{params.figure}")
tables = across_models.read(snakemake.input.models, snakemake.input.tables, params.paragraphs, params.steps)
tables |= {Path(path).stem: storage.read(schema_of(Path(path).stem), path) for path in snakemake.input.joint}
drawing = module.draw(tables, sections(params.settings))
log(str(drawing.numbers))
files.write(drawing, snakemake.output, snakemake.input.caption, params.study)
