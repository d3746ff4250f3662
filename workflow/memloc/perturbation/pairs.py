"""Pairs of a memorized paragraph and its strongest perturbation, for patching and editing."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Int
from torch import Tensor

from memloc.data.paragraphs import token_tensor


class Pairs(NamedTuple):
    """Memorized paragraphs and their perturbed versions, one pair per row."""

    ids: Int[np.ndarray, "pair"]
    memorized: Int[Tensor, "pair token"]
    perturbed: Int[Tensor, "pair token"]
    perturbed_position: Int[Tensor, "pair"]
    impact_position: Int[Tensor, "pair"]

    @classmethod
    def from_tables(cls, paragraphs: pd.DataFrame, perturbed_paragraphs: pd.DataFrame) -> "Pairs":
        """Every perturbed paragraph with the memorized one that it was made from."""
        memorized = paragraphs.set_index("id")["tokens"].loc[perturbed_paragraphs["id"]]
        return cls(
            perturbed_paragraphs["id"].to_numpy(),
            token_tensor(memorized),
            token_tensor(perturbed_paragraphs["tokens"]),
            torch.tensor(perturbed_paragraphs["position"].to_numpy()),
            torch.tensor(perturbed_paragraphs["impact_position"].to_numpy()),
        )
