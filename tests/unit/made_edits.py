"""Recipes of quick edits, and what their tests ask of a model."""

from torch import Tensor
from transformers import PreTrainedModel

from memloc.editing.objectives import Objective
from memloc.editing.steps import Recipe
from memloc.model.subject import Subject
from memloc.settings.editing import Editing

N_PREFIX, N_TOKENS = 10, 24
N_CONTINUATION = N_TOKENS - N_PREFIX
EDITING = {"steps": 4, "fraction": 0.01}


def recipe_of(objective: Objective = "unlearn", kl_weight: float = 1.0, **changes) -> Recipe:
    """A recipe of few steps, with other settings of `editing` in place of some."""
    return Recipe(objective, Editing(**EDITING | changes), kl_weight)


RECIPE = recipe_of()


def subject(model: PreTrainedModel, micro_batch: int = 8) -> Subject:
    """The subject of edits."""
    return Subject(model, N_PREFIX, micro_batch)


def weights(model: PreTrainedModel) -> dict[str, Tensor]:
    """Copies of all weights."""
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
