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

    def check(self) -> None:
        """Check that the paragraphs of each pair differ up to the perturbed token, and nowhere else.

        They may differ at the perturbed token, before it (deleted) or right after it (swapped). From there to
        the impact position, their tokens must be the same.

        Raises:
            ValueError: pairs do not differ there, or also differ elsewhere before their impact position.
        """
        position = torch.arange(self.memorized.shape[1])
        differs = (self.memorized != self.perturbed) & (position < self.impact_position.unsqueeze(1))
        may_differ = position <= self.perturbed_position.unsqueeze(1) + 1
        wrong = (differs & ~may_differ).any(dim=1) | ~differs.any(dim=1)
        if wrong.any():
            raise ValueError(
                f"paragraphs {self.ids[wrong.numpy()].tolist()}: before its impact position, a perturbed "
                "paragraph must differ from the memorized one by its perturbed token and nowhere else"
            )
