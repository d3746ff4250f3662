"""Rules models_memorized, models_repeats, ..: draw one figure from the tables of several models."""

from memloc.tables.job import start

job = start(snakemake)

import importlib

from memloc.figures.parts import files
from memloc.tables import across_models

params = job.params
of_models = {name: job.input[name] for name in job.tables if not isinstance(job.input[name], str)}
tables = across_models.read(job.input.models, of_models, params.paragraphs, params.steps)
tables |= {name: job.read(name) for name in job.tables if name not in of_models}
drawing = importlib.import_module(params.module).draw(tables, job.settings)
job.log(str(drawing.numbers))
files.write(drawing, job.output, job.input.caption, params.study, job.settings.paragraph.before)
