"""Rule scores: exact match, NLL and decision margin of every kept paragraph."""

from memloc.rule import log, provenance, start

start(snakemake)

import pandas as pd

from memloc import models, scoring, tables
from memloc.paragraphs import token_tensor

settings = snakemake.params.settings
paragraphs = tables.read("paragraphs", snakemake.input.paragraphs)
dropped = tables.read("dropped_paragraphs", snakemake.input.dropped)
kept = paragraphs[~paragraphs.id.isin(dropped.id)]

model = models.load_model(snakemake.input.folder, **settings["loading"])
scores = scoring.score(
    model,
    token_tensor(kept.tokens),
    n_prefix=settings["paragraph"]["prefix"],
    micro_batch=settings["scores"]["micro_batch"],
    margin_threshold=settings["scores"]["margin_threshold"],
)
log(f"{len(kept)} paragraphs, {int(scores.redecoded.sum())} near-ties decoded step by step")

frame = pd.DataFrame(
    {"id": kept.id.to_numpy(), **{name: column.numpy() for name, column in scores._asdict().items()}}
)
tables.write("scores", frame, snakemake.output[0], provenance(snakemake))
