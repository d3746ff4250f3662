"""Tokens of paragraphs as tensors, and the samples that the analyses use."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
import torch
from jaxtyping import Int
from torch import Tensor


def token_tensor(tokens: Iterable[Sequence[int]]) -> Int[Tensor, "paragraph token"]:
    """Tensor of token lists of one length, as a table's column holds them. ValueError: lengths differ."""
    return torch.from_numpy(np.stack([np.asarray(row, dtype=np.int64) for row in tokens]))


def sampled_tokens(
    paragraphs: pd.DataFrame, sets: pd.DataFrame, name: str, n_prefix: int
) -> tuple[np.ndarray, Int[Tensor, "paragraph token"]]:
    """Ids and tokens of the sampled paragraphs of a set: true prefix and the continuation kept in `sets`.

    For memorized paragraphs that is the true continuation; for others the model's own (METHODS M2).
    """
    return _joined(paragraphs, sets[(sets["set"] == name) & sets["sampled"]], n_prefix)


def rare_token_sample(
    paragraphs: pd.DataFrame, sets: pd.DataFrame, n_prefix: int
) -> tuple[np.ndarray, Int[Tensor, "paragraph token"]]:
    """Ids and tokens of the paragraphs drawn for the rare-token analysis (paper 6.3)."""
    return _joined(paragraphs, sets[sets["sampled_rare_tokens"]], n_prefix)


def attention_sample(
    paragraphs: pd.DataFrame, sets: pd.DataFrame, n_prefix: int
) -> tuple[np.ndarray, Int[Tensor, "paragraph token"]]:
    """Ids and tokens of the sampled memorized and non-memorized paragraphs and of the rare-token sample."""
    sampled = sets["sampled"] & sets["set"].isin(["memorized", "non_memorized"])
    return _joined(paragraphs, sets[sampled | sets["sampled_rare_tokens"]], n_prefix)


def _joined(
    paragraphs: pd.DataFrame, chosen: pd.DataFrame, n_prefix: int
) -> tuple[np.ndarray, Int[Tensor, "paragraph token"]]:
    prefix = token_tensor(paragraphs.set_index("id")["tokens"].loc[chosen["id"]])[:, :n_prefix]
    return chosen["id"].to_numpy(), torch.cat([prefix, token_tensor(chosen["continuation"])], dim=1)
