"""Rules models_memorized, models_repeats, ..: draw one figure from the tables of several models."""

from memloc.run.rule import log, start

start(snakemake)

import importlib

from memloc.figures.parts import files
from memloc.settings.sections import sections
from memloc.tables import across_models

params = snakemake.params
module = importlib.import_module(f"memloc.figures.{params.figure}")
tables = across_models.read(snakemake.input.models, snakemake.input.tables, params.paragraphs, params.steps)
drawing = module.draw(tables, sections(params.settings))
log(str(drawing.numbers))
files.write(drawing, snakemake.output, snakemake.input.caption, params.study)
