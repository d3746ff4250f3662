"""Steps of Adam down an objective that removes recited paragraphs (paper 5.3, Eq. 3 and 4).

The objective is minimised over a fixed choice of weights, an arm (`editing.masks`). Afterwards every weight
is compared with θ0. A change outside of the arm is an error. An arm in which few weights have changed is an
error, too: rounding swallowed the steps. Models are edited in single precision (`loading.load`):
weights, gradients, moments, and θ0's log-probabilities in the KL divergence.

`reference` is the authors' published code: KL summed over positions, w = 0.1, and weight decay of 1.0 that
moves every W_* weight in every arm.
"""

from collections.abc import Collection
from typing import NamedTuple

import torch
from jaxtyping import Int
from torch import Tensor

from memloc.editing.gradients import Gradients, editable_gradients, nll_gradients, take_gradients
from memloc.editing.objectives import SIGN, Objective, Terms, collect_objective, original_states
from memloc.editing.optimisers import ReferenceAdam, SparseAdam
from memloc.model.passes import last_mlp_predicts
from memloc.model.subject import Subject, Tokens
from memloc.model.weights import EditError, Movable, Original, all_weights, n_weights
from memloc.scoring.losses import log_probabilities
from memloc.scoring.paragraph_scores import teacher_forced
from memloc.settings.editing import Editing

LEAST_CHANGED = 0.5  # share of the movable weights; in single precision nearly all change


class Recipe(NamedTuple):
    """The objective of an edit and how it is reached (section `editing`)."""

    objective: Objective
    how: Editing
    kl_weight: float = 1.0
    """Weight of the controls' KL divergence. Only its ratio to the NLL's weight changes Adam's steps."""


class Origin(NamedTuple):
    """Texts and gradients at θ0, which all runs of one objective share."""

    terms: Terms
    gradients: Gradients
    """Gradients of the objective at θ0. The KL term adds none, because it has its minimum there."""


def origin_of(
    subject: Subject, learned: Tokens, controls: Int[Tensor, "control token"], recipe: Recipe
) -> Origin:
    """The origin of all runs of an objective; the model must have its original weights.

    Raises:
        ValueError: there is no paragraph to learn.
    """
    p0 = log_probabilities(subject, original_states(subject, controls))
    terms = Terms(learned, controls, lambda rows: p0[rows])
    return Origin(terms, objective_gradients(subject, terms._replace(controls=controls[:0]), recipe))


def objective_gradients(
    subject: Subject, terms: Terms, recipe: Recipe, names: Collection[str] | None = None
) -> Gradients:
    """Gradient of the objective (Eq. 3 or 4) for all W_* weights, or the named parameters.

    Its terms are means over the learned paragraphs and over the controls.
    """
    how, n_learned, n_controls = recipe.how, len(terms.learned), len(terms.controls)
    weights = torch.full((n_learned + n_controls,), recipe.kl_weight / max(n_controls, 1))
    weights[:n_learned] = SIGN[recipe.objective] * how.nll_weight / max(n_learned, 1)
    with editable_gradients(subject, names), last_mlp_predicts(subject):
        collect_objective(subject, terms, weights, how.reference)
        return take_gradients(subject)


def optimise(
    subject: Subject, origin: Origin, movable: Movable, learning_rate: float, recipe: Recipe
) -> None:
    """Change the model by the recipe's steps of Adam."""
    adam = (ReferenceAdam if recipe.how.reference else SparseAdam)(subject, movable, learning_rate)
    for step in range(recipe.how.steps):
        adam.step(objective_gradients(subject, origin.terms, recipe, movable) if step else origin.gradients)


def may_move(subject: Subject, movable: Movable, recipe: Recipe) -> Movable:
    """The weights that a run may move: the arm's, or all W_* weights, which the authors' decay moves."""
    return all_weights(subject) if recipe.how.reference else movable


def count_changed(subject: Subject, original: Original, movable: Movable, recipe: Recipe) -> int:
    """Number of weights that a run has changed, of those that it may move.

    Raises:
        EditError: another weight has changed, or fewer of these weights than the share `LEAST_CHANGED`.
    """
    allowed = may_move(subject, movable, recipe)
    n_changed, n_allowed = original.n_changed(allowed), n_weights(subject, allowed)
    if n_changed < LEAST_CHANGED * n_allowed:
        raise EditError(
            f"only {n_changed:,} of {n_allowed:,} weights that may move have changed: rounding swallows the "
            "steps; take a larger learning rate, or weights in single precision"
        )
    return n_changed


def steps_until_recited(
    subject: Subject, tokens: Tokens, learning_rate: float, limit: int
) -> list[int | None]:
    """Steps of Adam down the paragraphs' mean NLL, over all W_* weights, until each is recited again.

    None stands for a paragraph that `limit` steps do not bring back. The model is changed.
    """
    adam = SparseAdam(subject, all_weights(subject), learning_rate)
    found: list[int | None] = [None] * len(tokens)
    for step in range(limit + 1):
        recited = teacher_forced(subject, tokens).em == tokens.shape[1] - subject.n_prefix
        pairs = zip(found, recited, strict=True)
        found = [step if first is None and again else first for first, again in pairs]
        if None not in found or step == limit:
            break
        adam.step(nll_gradients(subject, tokens))
    return found
