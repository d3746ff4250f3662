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
    """A model, a paragraph, and what methods may use besides. They leave the model as it is.

    Fields that none of the asked methods uses may be left out.
    """

    model: PreTrainedModel
    tokens: Int[Tensor, "paragraph token"]
    """One paragraph; masks are trained on several together, too."""
    n_prefix: int
    wanted: tuple[Granularity, ...]
    """Units that are to be ranked: a method may leave out any others that it could score."""
    how: PlantedTruth
    random: np.random.Generator
    pair: Pairs | None = None
    """The paragraph and its strongest perturbed version; nothing where no replaced token changes what
    follows."""
    mean_outputs: Float[Tensor, "layer head d_head"] = torch.empty(0)
    """Mean output z of every head over other text."""
    counts: Int[np.ndarray, "vocabulary"] = np.empty(0, dtype=np.int64)
    """How often each token occurs in the study's paragraphs."""
    change: Mapping[str, Tensor] = MappingProxyType({})
    """How far planting moved each W_* weight: no method but the oracle may look."""
