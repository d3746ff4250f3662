"""What every source of data makes, and tokens of paragraphs as tensors: all, or samples of them."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from memloc.data.sets import attention_samples
from memloc.run.errors import InputError

# Columns of table `paragraphs` that a given text leaves open: its training windows are not known.
UNKNOWN = dict.fromkeys(
    ("whole_count", "cut_count", "continuation_count", "near_count", "longest_run", "file", "line")
)


class Tables(NamedTuple):
    """Paragraphs of a training text, and that text: rows of the tables with these names."""

    paragraphs: pd.DataFrame
    places: pd.DataFrame
    occurrences: pd.DataFrame
    training_stream: pd.DataFrame


def token_tensor(tokens: Iterable[Sequence[int]]) -> Int[Tensor, "paragraph token"]:
    """Tensor of token lists of one length, as a table's column holds them. ValueError: lengths differ."""
    return torch.from_numpy(np.stack([np.asarray(row, dtype=np.int64) for row in tokens]))


def used_ids(sets: pd.DataFrame) -> pd.Series:
    """Ids of the paragraphs that analyses may use: those whose continuation is kept in `sets`."""
    return sets.loc[sets["continuation"].notna(), "id"]


def sampled_tokens(
    paragraphs: pd.DataFrame, sets: pd.DataFrame, name: str, n_prefix: int
) -> tuple[np.ndarray, Int[Tensor, "paragraph token"]]:
    """Ids and tokens of the sampled paragraphs of a set: true prefix and the continuation kept in `sets`.

    Memorized paragraphs have the true continuation. Others have the model's own, or the true one with
    `sets.continuation: corpus`, of which the model recites little in the non-memorized set (paper 3.2).

    Raises:
        InputError: the set has no paragraph.
    """
    return _joined(paragraphs, sets[(sets["set"] == name) & sets["sampled"]], n_prefix, name)


def paired_tokens(
    paragraphs: pd.DataFrame, sets: pd.DataFrame, n_prefix: int
) -> tuple[np.ndarray, Int[Tensor, "paragraph token"]]:
    """Ids and tokens, as in `sampled_tokens`, of the paragraphs in pairs of equal exposure; maybe none."""
    chosen = sets[sets["pair"].notna()]
    if chosen.empty:
        return chosen["id"].to_numpy(), token_tensor(paragraphs["tokens"][:1])[:0]
    return _joined(paragraphs, chosen, n_prefix, "paired")


def attention_ids(sets: pd.DataFrame) -> pd.Series:
    """Ids of the paragraphs in `attention_samples` or in a pair of equal exposure."""
    return sets.loc[sets["id"].isin(attention_samples(sets)["id"]) | sets["pair"].notna(), "id"]


def attention_sample(
    paragraphs: pd.DataFrame, sets: pd.DataFrame, n_prefix: int
) -> tuple[np.ndarray, Int[Tensor, "paragraph prefix+1"], Bool[Tensor, "paragraph"]]:
    """The paragraphs whose attention is analysed.

    Returns:
        Ids, true prefixes with the first token of the continuation, and a mask of the rows for which `sets`
        has no continuation. In these rows the token is the corpus's.

    Raises:
        InputError: no paragraph is memorized or non-memorized.
    """
    chosen = sets[sets["id"].isin(attention_ids(sets))]
    if chosen.empty:
        raise InputError(_nothing("memorized or non-memorized"))
    tokens = token_tensor(paragraphs.set_index("id")["tokens"].loc[chosen["id"]])[:, : n_prefix + 1]
    kept = torch.tensor(chosen["continuation"].notna().to_numpy())
    first = [row[0] for row in chosen["continuation"].dropna()]
    tokens[kept, n_prefix] = torch.tensor(first, dtype=torch.int64)
    return chosen["id"].to_numpy(), tokens, ~kept


def _nothing(what: str) -> str:
    return (
        f"no paragraph is {what}, and this analysis needs some: fig2 shows how far the paragraphs are from "
        "it. Use text that the model has seen more or less often, more paragraphs, another model, or another "
        "paragraph.length"
    )


def _joined(
    paragraphs: pd.DataFrame, chosen: pd.DataFrame, n_prefix: int, what: str
) -> tuple[np.ndarray, Int[Tensor, "paragraph token"]]:
    if chosen.empty:
        raise InputError(_nothing(what.replace("_", "-")))
    prefix = token_tensor(paragraphs.set_index("id")["tokens"].loc[chosen["id"]])[:, :n_prefix]
    return chosen["id"].to_numpy(), torch.cat([prefix, token_tensor(chosen["continuation"])], dim=1)
