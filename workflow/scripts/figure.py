"""Rules fig1 .. fig12, table1, ..: draw one figure from tables and fill in its caption.

Figures across models read the tables of all models; `claims_by_run` reads those of all models or seeds.
"""

from memloc.tables.job import start

job = start(snakemake)

import importlib
from pathlib import Path

import pandas as pd

from memloc.figures.parts import files
from memloc.run.templates import fill
from memloc.tables import across_models

DRAWN = ("perturbation", "perturbed_paragraphs", "sets")  # tables with the paragraphs whose tokens are shown
params = job.params
of_runs = {name: job.input[name] for name in job.tables}
if job.input.get("models"):
    models = across_models.models_of(job.input.models, params.steps)
    found = across_models.joined(of_runs, models["model"], params.paragraphs)
    found["models"] = models.reset_index(drop=True)
elif params.get("seeds"):
    found = across_models.joined(of_runs, pd.Series(params.seeds, name="seed"))
else:
    found = {name: job.read(name) for name in job.tables if name != "paragraphs"}
    if "paragraphs" in job.tables:
        # Of their tokens, which are long, those of drawn rows alone: in `sets`, the ones with a continuation.
        ids = None
        if "tokens" in params.paragraphs:
            drawn = next(found[name] for name in DRAWN if name in found)
            ids = drawn.dropna(subset=drawn.columns.intersection(["continuation"])).id
        found["paragraphs"] = job.read("paragraphs", params.paragraphs, ids)
# A figure with a page says there which model it is about.
named = [params.model] if job.output.get("page") else []
drawing = importlib.import_module(params.module).draw(found, job.settings, *named)
files.write(drawing, job.output, fill(Path(job.input.caption).read_text(), drawing.numbers))
