"""Sparse unlearning and editing of memorized paragraphs (paper 5.3, Figure 5).

Every memorized paragraph is edited by itself, from the original weights θ0, which are restored bit for bit
afterwards. Adam minimises an objective over a fixed choice of weights, an arm:

    unlearn:  -w NLL(memorized paragraph) + k KL(p(.|controls; θ0) || p(.|controls; θ))         (Eq. 3)
    edit:     +w NLL(edit target)         + k KL(p(.|controls; θ0) || p(.|controls; θ))         (Eq. 4)

    all     every W_* weight
    top     the fraction of the W_* weights with the largest |gradient of the objective| at θ0
    random  equally many random ones
    head    all weights of one head
    layer   all W_* weights of that head's layer

The edit target is the paragraph's own prefix, followed by the continuation of its own strongest perturbation
(its PMP). After a run every weight is compared with θ0: a change outside of the arm is an error. So is an arm
in which few weights have changed, because rounding swallowed the steps. Models are edited in single precision
(`loading.load_for_editing`): weights, gradients, moments, and θ0's log-probabilities that KL compares with.
Where `products` is bfloat16, the steps after the first multiply weights that stand still in it, and take the
gradients of others in it (`localization.bfloat16_products`); evaluations and the choice of weights do not.

`reference` is the authors' published code: KL summed over positions, w = 0.1, weight decay of 1.0 that moves
every W_* weight in every arm, and targets with the continuation of a randomly paired paragraph's PMP
(`edit_cases.mispaired`).
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import PreTrainedModel

from memloc.localization.bfloat16_products import Bfloat16Products
from memloc.localization.contrastive import SIGN, collect_objective, original_log_probabilities
from memloc.localization.gradients import Gradients, editable_gradients, nll_gradients, take_gradients
from memloc.localization.movable_gradients import movable_gradients
from memloc.localization.optimisers import ReferenceAdam, SparseAdam
from memloc.localization.weights import (
    EditError,
    Movable,
    OriginalWeights,
    all_weights,
    at_places,
    head_weights,
    layer_weights,
    lowest_layer,
    n_weights,
    random_weights,
    top_weights,
)
from memloc.model.partial_forward import LowerLayers, last_mlp_from
from memloc.perturbation.perturbed_prefixes import run_versions
from memloc.removal.edit_cases import Case, Objective, mispaired
from memloc.removal.relearning import steps_until_recited
from memloc.run.seeds import generator
from memloc.scoring.early_stopping import match_batch
from memloc.scoring.paragraph_scores import teacher_forced
from memloc.settings.arms import PAPER_ARMS
from memloc.settings.base import EditSection
from memloc.settings.editing import Editing

LEAST_CHANGED = 0.5  # share of the movable weights; in single precision nearly all of them change


class Recipe(NamedTuple):
    """What a paragraph is edited into, and how (section `editing`, or `edit_model` of joint edits)."""

    objective: Objective
    n_prefix: int
    how: EditSection
    kl_weight: float = 1.0
    """Of the controls' KL divergence: steps of Adam depend on its ratio to the weight of the NLL alone."""


class Terms(NamedTuple):
    """The texts of an objective's two terms."""

    learned: Int[Tensor, "paragraph token"]
    controls: Int[Tensor, "control token"]
    original: Float[Tensor, "control continuation vocabulary"]
    """Log-probabilities of the controls under θ0."""


class Start(NamedTuple):
    """What all runs of a case share, taken at θ0."""

    terms: Terms
    gradients: Gradients
    scores: dict[str, float]
    recited: float
    below: LowerLayers
    """Those below the layer of the arms that move one layer alone."""


class Edits(NamedTuple):
    """One row per run, and one per run and evaluated step."""

    edits: pd.DataFrame
    trajectories: pd.DataFrame


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


def _collect(model: PreTrainedModel, terms: Terms, recipe: Recipe) -> None:
    weights = {"nll_weight": recipe.how.nll_weight, "kl_weight": recipe.kl_weight}
    how = {"objective": recipe.objective, "reference": recipe.how.reference, **weights}
    with last_mlp_from(model, recipe.n_prefix - 1):
        collect_objective(model, *terms, recipe.n_prefix, recipe.how.micro_batch, **how)


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
) -> Iterator[int]:
    """Change the model by the recipe's steps of Adam; yields the number of steps after each of them.

    `first` are the gradients at the first step, which runs from the same weights share.
    """
    adam = (ReferenceAdam if recipe.how.reference else SparseAdam)(model, movable, learning_rate)
    products = nullcontext
    if recipe.how.products == "bfloat16":
        rounded = Bfloat16Products(model, _allowed(model, movable, recipe))
        products = rounded.used
        if rounded.round_outputs:
            terms = terms._replace(original=_original(model, terms.controls, recipe, products))
    adam.step(at_places(first, movable))
    yield 1
    for step in range(2, recipe.how.steps + 1):
        with movable_gradients(model, movable) as taken, products():
            _collect(model, terms, recipe)
            gradients = taken()
        adam.step(gradients)
        yield step


def _original(
    model: PreTrainedModel,
    controls: Int[Tensor, "control token"],
    recipe: Recipe,
    products: Callable[[], AbstractContextManager] = nullcontext,
) -> Float[Tensor, "control continuation vocabulary"]:
    """Log-probabilities of the controls under θ0, by the products that training uses: else the KL is their
    rounding."""
    with products():
        return original_log_probabilities(model, controls, recipe.n_prefix, recipe.how.micro_batch)


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


def evaluate(model: PreTrainedModel, case: Case, recipe: Recipe) -> dict[str, float]:
    """Mean EM (tokens) and NLL (nats per token) of the case's texts, named em_<text> and nll_<text>.

    EM of the controls is against the original model's continuation; there is none of held-out text, whose
    continuation is the corpus's. Values of a missing target are NaN.
    """
    texts = {
        "memorized": case.memorized,
        "target": case.memorized[:0] if case.target is None else case.target,
        "control": case.controls,
        "other": case.others,
        "held_out": case.held_out,
    }
    with last_mlp_from(model, recipe.n_prefix - 1):
        scores = teacher_forced(model, torch.cat([*texts.values()]), recipe.n_prefix, recipe.how.micro_batch)
    sizes = [len(text) for text in texts.values()]
    by_text = zip(texts, scores.em.float().split(sizes), scores.nll.split(sizes), strict=True)
    means = {}
    for name, em, nll in by_text:
        means |= {f"em_{name}": em.mean().item(), f"nll_{name}": nll.mean().item()}
    del means["em_held_out"]
    return means


def share_recited(model: PreTrainedModel, case: Case, recipe: Recipe) -> float:
    """Share of the perturbed versions from which the whole continuation is still recited; NaN without any."""
    if not len(case.perturbed):
        return math.nan
    n_prefix, n_tokens = recipe.n_prefix, case.memorized.shape[1]
    differs = case.perturbed[:, : n_prefix - 1] != case.memorized[:, : n_prefix - 1]
    n_shared, order = (~differs).cumprod(dim=1).sum(dim=1).sort()
    versions, everything = case.perturbed[order][None], torch.ones(1, len(order), dtype=torch.bool)
    em, *_ = run_versions(
        match_batch, model, versions, n_shared, n_prefix, everything, recipe.how.micro_batch
    )
    return float((em == n_tokens - n_prefix).float().mean())


def relearning_steps(model: PreTrainedModel, case: Case, learning_rate: float, recipe: Recipe) -> int | None:
    """Steps of Adam on the paragraph's NLL, over all W_* weights, until it is recited again.

    None: not within `recipe.how.relearning_limit` steps. The model is changed.
    """
    how, n_prefix = recipe.how, recipe.n_prefix
    limit, batch = how.relearning_limit, how.micro_batch
    return steps_until_recited(model, case.memorized, learning_rate, n_prefix, limit, batch)[0]


def start(model: PreTrainedModel, case: Case, recipe: Recipe, layer: int = 0) -> Start:
    """What the runs of a case share, some of which move one `layer` alone; the model must have its original
    weights."""
    terms = Terms(case.learned(recipe.objective), case.controls, _original(model, case.controls, recipe))
    gradients, below = first_gradients(model, terms.learned, recipe), LowerLayers(model, layer)
    with below.once():
        scores = evaluate(model, case, recipe)
    return Start(terms, gradients, scores, share_recited(model, case, recipe), below)


def edit_paragraph(
    model: PreTrainedModel,
    case: Case,
    shared: Start,
    original: OriginalWeights,
    movable: Movable,
    learning_rate: float,
    recipe: Recipe,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """One run: a row of `edits` and its trajectory. The model has its original weights before and after.

    Raises:
        EditError: as in `count_changed`.
    """
    trajectory = [{"step": 0, **shared.scores}]
    first = 0 if recipe.how.reference else lowest_layer(model, movable)
    below = shared.below if first == shared.below.first else LowerLayers(model, first)
    try:
        with below.once():
            for step in optimise(model, shared.terms, shared.gradients, movable, learning_rate, recipe):
                if step % recipe.how.evaluate_every == 0 or step == recipe.how.steps:
                    trajectory.append({"step": step, **evaluate(model, case, recipe)})
        final = {name: value for name, value in trajectory[-1].items() if name != "step"}
        row = {
            **final,
            **{f"{name}_before": value for name, value in shared.scores.items()},
            "recited": share_recited(model, case, recipe),
            "recited_before": shared.recited,
            "n_movable_weights": n_weights(model, movable),
            "n_changed_weights": count_changed(model, original, movable, recipe),
            "relearning_steps": relearning_steps(model, case, learning_rate, recipe),
        }
    finally:
        original.restore(model)
    return row, trajectory


def edit_paragraphs(
    model: PreTrainedModel,
    cases: Iterable[Case],
    recipe: Recipe,
    arms: Iterable[str],
    learning_rates: Iterable[float],
    head: tuple[int, int],
    seed: int,
) -> Edits:
    """Every case with every arm and learning rate.

    Random weights depend on seed and paragraph only, so that they are the same for all learning rates.

    Raises:
        EditError: as in `count_changed`.
        ValueError: a case has no target to edit it into.
    """
    original, rows, trajectories = OriginalWeights(model), [], []
    for case in cases:
        shared = start(model, case, recipe, head[0])
        for arm in arms:
            random = generator(seed, "editing", "random", str(case.id))
            movable = movable_weights(model, arm, shared.gradients, recipe.how.fraction, head, random)
            for rate in learning_rates:
                labels = {
                    "id": case.id,
                    "objective": recipe.objective,
                    "arm": arm,
                    "learning_rate": rate,
                    "reference": recipe.how.reference,
                }
                row, trajectory = edit_paragraph(model, case, shared, original, movable, rate, recipe)
                rows.append({**labels, **row, "seed": seed})
                trajectories += [{**labels, **point} for point in trajectory]
    edits = pd.DataFrame(rows).astype({"relearning_steps": "Int64"})
    return Edits(edits, pd.DataFrame(trajectories))


def run_edits(
    model: PreTrainedModel,
    cases: Sequence[Case],
    recipe: Recipe,
    head: tuple[int, int],
    seed: int,
    rows: Iterable[int],
) -> Iterator[Edits]:
    """Edit the cases at `rows` with the paper's arms and extra ones, at the first learning rate.

    The first `n_swept` cases are edited at all learning rates, the first `n_reference` ones also like the
    authors, at the first rate. Yields the runs of one case after the other, which depend on no other `rows`.
    With `recipe.how.reference` everything is done as the authors' code does, and nothing is left to compare.

    Raises:
        EditError: as in `count_changed`.
        ValueError: a case has no target to edit it into.
    """
    how: Editing = recipe.how
    theirs = None if how.reference else recipe._replace(how=how.as_reference())
    first, arms = how.learning_rates[:1], (*PAPER_ARMS, *how.extra_arms)
    if how.reference:
        cases = _mispaired(cases, recipe, seed)
    compared = _mispaired(cases[: how.n_reference], recipe, seed) if theirs else []
    for row in rows:
        rates = how.learning_rates if row < how.n_swept else first
        yield edit_paragraphs(model, [cases[row]], recipe, arms, rates, head, seed)
        if row < len(compared):
            yield edit_paragraphs(model, [compared[row]], theirs, PAPER_ARMS, first, head, seed)


def _mispaired(cases: Sequence[Case], recipe: Recipe, seed: int) -> list[Case]:
    return mispaired(cases, recipe.n_prefix, generator(seed, "editing", "pairs"))
