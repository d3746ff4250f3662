"""The question to a localization method: where is this paragraph in the model?

A method is a function of a subject and a question. It ranks units: layers, heads, MLP neurons and single
weights (`model.weights`).
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from memloc.model.weights import Granularity, UnitScores
from memloc.perturbation.pairs import Pairs
from memloc.settings.grown_truth import GrownTruth


class Question(NamedTuple):
    """A paragraph, and all that methods may use beside the subject. They leave the model as it is.

    Fields that none of the methods uses may be left out.
    """

    tokens: Int[Tensor, "paragraph token"]
    """One paragraph; gates (`removal.ways.gates`) are trained on several together."""
    wanted: tuple[Granularity, ...]
    """Granularities to rank: those of a place's units first. A method may leave out all others."""
    how: GrownTruth
    random: np.random.Generator
    pair: Pairs | None = None
    """The paragraph and its strongest perturbed version; None if none changes the continuation."""
    mean_outputs: Float[Tensor, "layer head d_head"] = torch.empty(0)
    """Mean output z of every head over other text."""
    counts: Int[np.ndarray, "vocabulary"] = np.empty(0, dtype=np.int64)
    """How often each token occurs in the study's paragraphs."""
    place: Mapping[str, Tensor] = MappingProxyType({})
    """1 at the place's weights, 0 at all other W_* weights, by parameter; only the oracle may look at it."""

    @property
    def unit(self) -> Granularity:
        """The units that the memory's kind of place is made of."""
        return self.wanted[0]


def in_layers(question: Question, scores: Sequence[Float[Tensor, "unit"]]) -> UnitScores:
    """Scores of the heads or neurons of each layer, and of layers: the sums over their units."""
    units = torch.stack([*scores]).cpu()
    return {question.unit: units, "layer": units.sum(dim=1)}
