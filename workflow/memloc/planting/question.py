"""The question to a localization method: where in this model is this paragraph?"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import PreTrainedModel

from memloc.perturbation.pairs import Pairs
from memloc.planting.units import Granularity
from memloc.settings.planted_truth import PlantedTruth


class Question(NamedTuple):
    """A model, a paragraph, and all that methods may use. They leave the model as it is.

    Fields that none of the methods uses may be left out.
    """

    model: PreTrainedModel
    tokens: Int[Tensor, "paragraph token"]
    """One paragraph; masks can be trained on several together."""
    n_prefix: int
    wanted: tuple[Granularity, ...]
    """Granularities to rank; a method may leave out all others."""
    how: PlantedTruth
    random: np.random.Generator
    pair: Pairs | None = None
    """The paragraph and its strongest perturbed version; None if none changes the continuation."""
    mean_outputs: Float[Tensor, "layer head d_head"] = torch.empty(0)
    """Mean output z of every head over other text."""
    counts: Int[np.ndarray, "vocabulary"] = np.empty(0, dtype=np.int64)
    """How often each token occurs in the study's paragraphs."""
    change: Mapping[str, Tensor] = MappingProxyType({})
    """The change of each W_* weight by planting; only the oracle may look at it."""
