"""Rule stability: draw a figure from the tables of a study and of its repetitions with other seeds."""

from memloc.run.rule import log, start

start(snakemake)

import importlib

from memloc.figures.parts import files
from memloc.settings.sections import sections
from memloc.tables import across_models

params = snakemake.params
module = importlib.import_module(f"memloc.figures.{params.figure}")
drawing = module.draw(
    across_models.read_seeds(snakemake.input.tables, params.seeds), sections(params.settings)
)
log(str(drawing.numbers))
files.write(drawing, snakemake.output, snakemake.input.caption, params.study)
