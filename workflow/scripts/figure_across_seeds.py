"""Rule stability: draw a figure from the tables of a study and of its repetitions with other seeds."""

from memloc.tables.job import start

job = start(snakemake)

import importlib

from memloc.figures.parts import files
from memloc.tables import across_models

params = job.params
tables = across_models.read_seeds({name: job.input[name] for name in job.tables}, params.seeds)
drawing = importlib.import_module(params.module).draw(tables, job.settings)
job.log(str(drawing.numbers))
files.write(drawing, job.output, job.input.caption, params.study, job.settings.paragraph.before)
