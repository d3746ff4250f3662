"""Recipes of quick edits, and what their tests ask of a model."""

import torch
from torch import Tensor
from transformers import PreTrainedModel

from memloc.editing.objectives import Objective
from memloc.editing.steps import Recipe
from memloc.scoring.decoding import greedy_continuation
from memloc.settings.editing import Editing

N_PREFIX, N_TOKENS = 10, 24
N_CONTINUATION = N_TOKENS - N_PREFIX
EDITING = {"steps": 4, "fraction": 0.01, "micro_batch": 8, "relearning_limit": 0}


def recipe_of(objective: Objective = "unlearn", kl_weight: float = 1.0, **changes) -> Recipe:
    """A recipe of few steps, with other settings of `editing` in place of some."""
    return Recipe(objective, N_PREFIX, Editing(**EDITING | changes), kl_weight)


RECIPE = recipe_of()


def own_continuations(model: PreTrainedModel, tokens: Tensor) -> Tensor:
    """Each prefix, and what the model itself says next."""
    prefix = tokens[:, :N_PREFIX]
    return torch.cat([prefix, greedy_continuation(model, prefix, N_CONTINUATION, 8)], dim=1)


def weights(model: PreTrainedModel) -> dict[str, Tensor]:
    """Copies of all weights."""
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
