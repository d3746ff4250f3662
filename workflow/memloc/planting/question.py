"""What a localization method is asked: where in this model is this paragraph?"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor
from transformers import PreTrainedModel

from memloc.localization.gradients import Gradients
from memloc.perturbation.pairs import Pairs
from memloc.planting.units import Granularity
from memloc.settings.planted_truth import PlantedTruth


class Question(NamedTuple):
    """A model, a paragraph, and what methods may use besides. They leave the model as it is."""

    model: PreTrainedModel
    tokens: Int[Tensor, "paragraph token"]
    """One paragraph; masks are trained on several together, too."""
    n_prefix: int
    wanted: tuple[Granularity, ...]
    """Units that are to be ranked: a method with others may leave these out."""
    pair: Pairs | None
    """The paragraph and its strongest perturbed version; nothing where no replaced token changes what
    follows."""
    mean_outputs: Float[Tensor, "layer head d_head"]
    """Mean output z of every head over other text."""
    counts: Int[np.ndarray, "vocabulary"]
    """How often each token occurs in the study's paragraphs."""
    change: Gradients
    """How far planting moved each W_* weight: no method but the oracle may look."""
    how: PlantedTruth
    random: np.random.Generator
