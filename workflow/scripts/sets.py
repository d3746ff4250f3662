"""Rule sets: the memorized and non-memorized sets, the drawn samples and their continuations."""

from memloc.tables.job import start

job = start(snakemake)

from collections.abc import Iterable

import numpy as np
import pandas as pd
import torch

from memloc.data import sets
from memloc.data.filters import kept_rows
from memloc.data.paragraphs import token_tensor
from memloc.data.sets import exposure
from memloc.model import loading
from memloc.run.seeds import generator
from memloc.scoring import decoding
from memloc.scoring.near_verbatim import NEARLY, n_edits
from memloc.tables.storage import ROWS
from memloc.tables.terms.sets import HELD_OUT, UNSEEN

settings = job.settings
n_prefix, n_continuation = settings.paragraph.prefix, settings.paragraph.continuation
scores = job.read("scores", ["id", "em"])
dropped = job.read("dropped_paragraphs").id
scores = scores.iloc[kept_rows(scores.id, dropped)]
known = ["unseen", "held_out", "count", "continuation_count", "near_count"]
paragraphs = job.read("paragraphs", ["id", *known])
kept_rows(paragraphs.id[~paragraphs.held_out & ~paragraphs.unseen], dropped)  # others leave no set
paragraphs = paragraphs.set_index("id")
unseen = scores.id.map(paragraphs.unseen)
held_out = scores.id.map(paragraphs.held_out) & ~unseen


def tokens_of(ids: Iterable[int]) -> np.ndarray:
    """Tokens of the paragraphs of these ids, in their order."""
    ids = pd.Series(ids)
    return np.array([*job.read("paragraphs", ["id", "tokens"], ids).set_index("id").tokens.loc[ids]])


seen = scores[~unseen & ~held_out].reset_index(drop=True)
left_out = []
if "kinds" in job.tables:
    recited = seen.id[seen.em == n_continuation]
    left_out = sets.of_other_kinds(recited, job.read("kinds", ["id", "kind"]), settings.sets.kinds)
frame = sets.split(seen, n_continuation, settings.sets, job.seed, tokens_of, left_out)
apart = [
    sets.apart(scores.id[unseen], UNSEEN, settings.sets.n_non_memorized, job.seed, tokens_of),
    sets.apart(scores.id[held_out], HELD_OUT, 0, job.seed, tokens_of),
]

subject = loading.load(job.input.folder, settings, 64)
em = scores.set_index("id").em


def continuations(ids: pd.Series) -> pd.DataFrame:
    """True and greedy continuation of each paragraph, in the rows of their ids."""
    tokens = token_tensor(tokens_of(ids))
    matched = torch.tensor(em.loc[ids].to_numpy())
    greedy = decoding.continue_from_scores(subject.of_preceded, subject.preceded(tokens), matched)
    rows = {"corpus": list(tokens[:, n_prefix:].numpy()), "model": list(greedy.numpy())}
    return pd.DataFrame({"id": ids, **rows})


def nearly_recited(ids: pd.Series) -> pd.Series:
    """Which of these paragraphs the model continues with their true continuations, but for a few tokens."""
    found = continuations(ids)
    return ids[n_edits(np.stack(found.model), np.stack(found.corpus)) <= NEARLY * n_continuation]


# The other paragraph of a pair is not recited, not nearly either. Only decoding shows that.
occurs = exposure(paragraphs).loc[frame.id].set_axis(frame.index)
near = paragraphs.near_count.fillna(exposure(paragraphs)).loc[frame.id].set_axis(frame.index)
memorized, tried = (frame.set == "memorized").astype("boolean"), set()
memorized[frame.id.isin(left_out)] = pd.NA
while True:
    draw = generator(job.seed, "sets", "pairs")
    frame["pair"] = sets.pairs(
        occurs, memorized, settings.sets.n_pairs, draw, near, lambda rows: tokens_of(frame.id.loc[rows])
    )
    others = frame.id[frame.pair.notna() & ~memorized.fillna(True) & ~frame.id.isin(tried)]
    if others.empty:
        break
    tried |= set(others)
    memorized[frame.id.isin(nearly_recited(others))] = pd.NA
filled = frame.sampled | (frame.set == "memorized") | frame.pair.notna()
used = continuations(frame.id[filled])
frame["continuation"] = used[settings.sets.continuation]
frame = pd.concat([frame, *(rows.assign(continuation=None) for rows in apart)], ignore_index=True)
# These are decoded separately, so that they change no micro-batch of the analyses' continuations.
more = frame.id[frame.sampled & frame.continuation.isna()]
found = pd.concat([used, continuations(more)]) if len(more) else used
decoded, true = (np.stack(found[name]) for name in ("model", "corpus"))
near = pd.DataFrame({"id": found.id, "continuation": list(decoded)}).merge(frame[["id", "set"]], on="id")
near = near.assign(n_edits=n_edits(decoded, true))

with job.writing() as append:
    append(near_verbatim=near)
    for first in range(0, len(frame), ROWS):
        append(sets=frame[first : first + ROWS])
