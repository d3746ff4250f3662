"""Texts that no analysis has sampled, so that they can judge the heads and weights that analyses chose.

Gradients, patching and edits take the sampled paragraphs of a set, and the rare-token analysis takes its own
sample. All of them rank heads or choose weights. A paragraph outside of both samples is *fresh*.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Int

from memloc.data.paragraphs import paired_tokens, token_tensor
from memloc.model.subject import Subject, Tokens
from memloc.run.errors import InputError
from memloc.run.seeds import generator
from memloc.scoring.decoding import greedy_continuation
from memloc.statistics.uncertainty import MIN_N
from memloc.tables.terms.sets import PARTLY


class Group(NamedTuple):
    """Paragraphs with the corpus's continuation, or the model's own."""

    ids: Int[np.ndarray, "paragraph"]
    tokens: Tokens
    used: Bool[np.ndarray, "paragraph"]
    """Sampled by an analysis that chooses heads or weights."""


def used_by_analyses(sets: pd.DataFrame) -> pd.Series:
    """Which paragraphs are in a sample that chooses heads or weights; no partly memorized one is."""
    return sets["sampled"] & ~sets["set"].isin(PARTLY) | sets["sampled_rare_tokens"]


def held_out_texts(paragraphs: pd.DataFrame, sets: pd.DataFrame, n_held_out: int, seed: int) -> Group:
    """Random fresh non-memorized paragraphs with their true continuations, fewer where there are too few.

    Raises:
        InputError: there is none.
    """
    return _group(paragraphs, sets, _held_out_order(sets, seed)[:n_held_out])


def judging_texts(
    paragraphs: pd.DataFrame, sets: pd.DataFrame, seed: int, *, n_paragraphs: int, n_held_out: int
) -> dict[str, Group]:
    """Texts that judge heads and weights, in groups that share no paragraph.

    Returns:
        Groups memorized and non_memorized, up to `n_paragraphs` each: fresh ones and, if these are too few
        for a verdict, used ones after them. Groups held_out (they show damage) and means (their mean outputs
        replace a head's), `n_held_out` each and at most a third of the fresh non-memorized ones.

    Raises:
        InputError: fewer than two non-memorized paragraphs are fresh.
    """
    fresh = _held_out_order(sets, seed)
    if len(fresh) == 1:
        raise InputError("only one non-memorized paragraph is left that no analysis has sampled")
    n = min(n_held_out, max(1, len(fresh) // 3))
    held_out, means, others = np.split(fresh, [n, 2 * n])
    memorized = _shuffled(sets, (sets["set"] == "memorized") & ~used_by_analyses(sets), seed, "memorized")
    drawn = {
        "memorized": _filled_up(memorized, sets, "memorized", n_paragraphs, seed),
        "non_memorized": _filled_up(others, sets, "non_memorized", n_paragraphs, seed),
        "held_out": held_out,
        "means": means,
    }
    return {name: _group(paragraphs, sets, ids) for name, ids in drawn.items()}


def paired_texts(
    paragraphs: pd.DataFrame, sets: pd.DataFrame, n_prefix: int, used: Int[np.ndarray, "paragraph"]
) -> Group:
    """Paragraphs of pairs of equal exposure, with the continuation kept in `sets`; there may be none.

    `used` holds paragraphs that chose weights or give mean outputs. A pair with one of them is left out.
    """
    free = sets[~sets["pair"].isin(sets.loc[sets["id"].isin(used), "pair"].dropna())]
    ids, tokens = paired_tokens(paragraphs, free, n_prefix)
    return Group(ids, tokens, _known(sets, ids))


def labels(texts: Mapping[str, Group]) -> pd.DataFrame:
    """group, id and used of the paragraphs of all groups."""
    frames = [
        pd.DataFrame({"group": name, "id": text.ids, "used": text.used}) for name, text in texts.items()
    ]
    return pd.concat(frames, ignore_index=True)


def with_own_continuations(subject: Subject, texts: Mapping[str, Group]) -> dict[str, Group]:
    """The groups; non-memorized paragraphs get the model's own continuation."""
    own = own_continuations(subject, texts["non_memorized"].tokens)
    return {**texts, "non_memorized": texts["non_memorized"]._replace(tokens=own)}


def own_continuations(subject: Subject, tokens: Tokens) -> Tokens:
    """The paragraphs with the model's greedy continuation, which is the true one of memorized paragraphs."""
    prefix, n_continuation = tokens[:, : subject.n_prefix], tokens.shape[1] - subject.n_prefix
    return torch.cat([prefix, greedy_continuation(subject, prefix, n_continuation)], dim=1)


def _held_out_order(sets: pd.DataFrame, seed: int) -> Int[np.ndarray, "paragraph"]:
    ids = sets.loc[(sets["set"] == "non_memorized") & ~used_by_analyses(sets), "id"]
    if ids.empty:
        raise InputError(
            "no paragraph is left to hold out: every non-memorized one is sampled; have more paragraphs, or "
            "lower sets.n_non_memorized or sets.n_rare_tokens"
        )
    return generator(seed, "editing", "held_out").permutation(ids)


def _shuffled(sets: pd.DataFrame, chosen: pd.Series, seed: int, stream: str) -> Int[np.ndarray, "paragraph"]:
    ids = sets.loc[chosen, "id"].to_numpy(copy=True)  # an array even if there is none
    return generator(seed, "judging", stream).permutation(ids)


def _filled_up(
    fresh: Int[np.ndarray, "paragraph"], sets: pd.DataFrame, name: str, n: int, seed: int
) -> Int[np.ndarray, "paragraph"]:
    if len(fresh) >= MIN_N:
        return fresh[:n]
    rest = _shuffled(sets, (sets["set"] == name) & used_by_analyses(sets), seed, f"{name}_seen")
    return np.concatenate([fresh, rest])[:n]


def _group(paragraphs: pd.DataFrame, sets: pd.DataFrame, ids: Int[np.ndarray, "paragraph"]) -> Group:
    return Group(ids, token_tensor(paragraphs.set_index("id")["tokens"].loc[ids]), _known(sets, ids))


def _known(sets: pd.DataFrame, ids: Int[np.ndarray, "paragraph"]) -> Bool[np.ndarray, "paragraph"]:
    return pd.Series(used_by_analyses(sets).to_numpy(), index=sets["id"]).loc[ids].to_numpy(dtype=bool)
