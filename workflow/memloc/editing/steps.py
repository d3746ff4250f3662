"""Steps of Adam down an objective that removes what is recited (paper 5.3, Eq. 3 and 4).

The objective is minimised over a fixed choice of weights, an arm:

    unlearn:  -w NLL(memorized paragraph) + k KL(p(.|controls; θ0) || p(.|controls; θ))         (Eq. 3)
    edit:     +w NLL(edit target)         + k KL(p(.|controls; θ0) || p(.|controls; θ))         (Eq. 4)

    all     every W_* weight
    top     the fraction of the W_* weights with the largest |gradient of the objective| at θ0
    random  equally many random ones
    head    all weights of one head
    layer   all W_* weights of that head's layer

Afterwards every weight is compared with θ0: a change outside of the arm is an error. So is an arm in which
few weights have changed, because rounding swallowed the steps. Models are edited in single precision
(`loading.load_for_editing`): weights, gradients, moments, and θ0's log-probabilities that KL compares with.

`reference` is the authors' published code: KL summed over positions, w = 0.1, and weight decay of 1.0 that
moves every W_* weight in every arm.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor
from transformers import PreTrainedModel

from memloc.editing.gradients import Gradients, editable_gradients, nll_gradients, take_gradients
from memloc.editing.masks import (
    EditError,
    Movable,
    OriginalWeights,
    all_weights,
    at_places,
    head_weights,
    layer_weights,
    n_weights,
    random_weights,
    top_weights,
)
from memloc.editing.movable_gradients import movable_gradients
from memloc.editing.objectives import SIGN, Objective, collect_objective
from memloc.editing.optimisers import ReferenceAdam, SparseAdam
from memloc.model.partial_forward import last_mlp_from
from memloc.settings.editing import Editing

LEAST_CHANGED = 0.5  # share of the movable weights; in single precision nearly all of them change


class Recipe(NamedTuple):
    """What a paragraph is edited into, and how (section `editing`)."""

    objective: Objective
    n_prefix: int
    how: Editing
    kl_weight: float = 1.0
    """Of the controls' KL divergence: steps of Adam depend on its ratio to the weight of the NLL alone."""


class Terms(NamedTuple):
    """The texts of an objective's two terms."""

    learned: Int[Tensor, "paragraph token"]
    controls: Int[Tensor, "control token"]
    original: Float[Tensor, "control continuation vocabulary"]
    """Log-probabilities of the controls under θ0."""


class Reached(NamedTuple):
    """Where a run is after a step."""

    step: int
    states: Float[Tensor, "text continuation width"] | None
    """Last hidden states of the learned texts and then the controls. None after the last step."""


def first_gradients(
    model: PreTrainedModel, learned: Int[Tensor, "paragraph token"], recipe: Recipe
) -> Gradients:
    """Gradient of the objective (Eq. 3 or 4) at θ0: that of its NLL term, since KL has its minimum there.

    Raises:
        ValueError: there is no paragraph.
    """
    with last_mlp_from(model, recipe.n_prefix - 1):
        gradients = nll_gradients(model, learned, recipe.n_prefix, recipe.how.micro_batch)
    weight = SIGN[recipe.objective] * recipe.how.nll_weight
    return {name: gradient.mul_(weight) for name, gradient in gradients.items()}


def objective_gradients(model: PreTrainedModel, terms: Terms, recipe: Recipe) -> Gradients:
    """Gradient of the objective (Eq. 3 or 4), means over the learned paragraphs and over the controls."""
    with editable_gradients(model):
        _collect(model, terms, recipe)
        return take_gradients(model)


def _collect(
    model: PreTrainedModel, terms: Terms, recipe: Recipe
) -> Float[Tensor, "text continuation width"]:
    weights = {"nll_weight": recipe.how.nll_weight, "kl_weight": recipe.kl_weight}
    how = {"objective": recipe.objective, "reference": recipe.how.reference, **weights}
    with last_mlp_from(model, recipe.n_prefix - 1):
        return collect_objective(model, *terms, recipe.n_prefix, recipe.how.micro_batch, **how).states


def movable_weights(
    model: PreTrainedModel,
    arm: str,
    gradients: Gradients,
    fraction: float,
    head: tuple[int, int],
    random: np.random.Generator,
) -> Movable:
    """The weights that an arm moves, given the objective's gradients at θ0 and the arm's (layer, head)."""
    choose = {
        "all": lambda: all_weights(model),
        "top": lambda: top_weights(gradients, fraction),
        "random": lambda: random_weights(model, fraction, random),
        "head": lambda: head_weights(model, *head),
        "layer": lambda: layer_weights(model, head[0]),
    }
    return choose[arm]()


def optimise(
    model: PreTrainedModel,
    terms: Terms,
    first: Gradients,
    movable: Movable,
    learning_rate: float,
    recipe: Recipe,
) -> Iterator[Reached]:
    """Change the model by the recipe's steps of Adam; yields after each of them.

    The gradients of the next step are then taken already, so that its pass serves an evaluation too: weights
    may not be changed in between. `first` are those of the first step, which runs from the same weights
    share.
    """
    adam = (ReferenceAdam if recipe.how.reference else SparseAdam)(model, movable, learning_rate)
    adam.step(at_places(first, movable))
    for step in range(1, recipe.how.steps):
        with movable_gradients(model, movable) as taken:
            states = _collect(model, terms, recipe)
            gradients = taken()
        yield Reached(step, states)
        adam.step(gradients)
    yield Reached(recipe.how.steps, None)


def _allowed(model: PreTrainedModel, movable: Movable, recipe: Recipe) -> Movable:
    """Weights that may differ after a run: those of the arm, or all of them where the authors' decay moves
    them."""
    return all_weights(model) if recipe.how.reference else movable


def count_changed(model: PreTrainedModel, original: OriginalWeights, movable: Movable, recipe: Recipe) -> int:
    """Number of weights that differ after a run.

    Raises:
        EditError: a weight has changed that may not move, or far fewer have than may.
    """
    allowed = _allowed(model, movable, recipe)
    n_changed, n_allowed = original.n_changed(model, allowed), n_weights(model, allowed)
    if n_changed < LEAST_CHANGED * n_allowed:
        raise EditError(
            f"only {n_changed:,} of {n_allowed:,} weights that may move have changed: rounding swallows the "
            "steps; take a larger learning rate, or weights in single precision"
        )
    return n_changed
