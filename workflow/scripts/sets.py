"""Rule sets: the memorized and non-memorized sets, the drawn samples and their continuations."""

from memloc.run.rule import log, provenance, start

start(snakemake)

import pandas as pd
import torch

from memloc.data import sets
from memloc.data.filters import kept_rows
from memloc.data.paragraphs import token_tensor
from memloc.model import loading
from memloc.scoring import decoding
from memloc.settings.sections import sections
from memloc.tables import storage
from memloc.tables.row_groups import ROWS
from memloc.tables.schemas.paragraphs import DROPPED_PARAGRAPHS, PARAGRAPHS
from memloc.tables.schemas.scores import SCORES
from memloc.tables.schemas.sets import SETS
from memloc.tables.terms import SET_NAMES

settings = sections(snakemake.params.settings)
n_prefix = settings.paragraph.prefix
scores = storage.read(SCORES, snakemake.input.scores, ["id", "em", "nll"])
dropped = storage.read(DROPPED_PARAGRAPHS, snakemake.input.dropped).id
scores = scores.iloc[kept_rows(scores.id, dropped)]
paragraphs = storage.read(PARAGRAPHS, snakemake.input.paragraphs, ["id", "unseen"])
unseen = scores.id.isin(paragraphs.id[paragraphs.unseen])
controls = sets.controls(scores[unseen], settings.sets.n_non_memorized, snakemake.params.seed)
scores = scores[~unseen].reset_index(drop=True)

n_continuation = settings.paragraph.length - n_prefix
frame = sets.split(scores, n_continuation, settings.sets, snakemake.params.seed)
sizes = sets.sample_sizes(settings.sets)
for name in SET_NAMES:
    members = frame.set == name
    n_drawn = frame.sampled[members].sum()
    log(f"{name}: {members.sum()} paragraphs, {n_drawn} sampled, {sizes[name]} asked for")
log(f"unseen: {len(controls)} paragraphs, {controls.sampled.sum()} sampled")

filled = frame.sampled | (frame.set == "memorized")
ids = frame.id[filled]
paragraphs = storage.read(PARAGRAPHS, snakemake.input.paragraphs, ["id", "tokens"], ids).set_index("id")
tokens = token_tensor(paragraphs.tokens.loc[ids])
if settings.sets.continuation == "model":
    model = loading.load_for_inference(snakemake.input.folder, settings.loading)
    em = torch.tensor(scores.em[filled].to_numpy())
    continuation = decoding.continue_from_scores(model, tokens, em, n_prefix, settings.scores.micro_batch)
else:
    continuation = tokens[:, n_prefix:]
frame["continuation"] = pd.Series([row.tolist() for row in continuation], index=frame.index[filled])
frame = pd.concat([frame, controls.assign(continuation=None)], ignore_index=True)
with storage.writer(SETS, snakemake.output[0], provenance(snakemake)) as table:
    for first in range(0, len(frame), ROWS):
        table.append(frame[first : first + ROWS])
