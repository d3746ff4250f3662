"""Unlearning and editing of memorized paragraphs, one by one, with what it does (paper 5.3, Figure 5).

Every memorized paragraph is edited by itself, from the original weights θ0, with every arm (`editing.steps`).
The weights are restored bit for bit afterwards. The edit target is the paragraph's own prefix, followed by
the continuation of its own strongest perturbation (its PMP); in the authors' code (`reference`), by that of a
randomly paired paragraph's PMP (`edit_cases.mispaired`). All evaluations are in single precision.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import PreTrainedModel

from memloc.editing.gradients import Gradients
from memloc.editing.masks import Movable, OriginalWeights, lowest_layer, n_weights
from memloc.editing.objectives import detached_states
from memloc.editing.steps import (
    Recipe,
    Terms,
    count_changed,
    first_gradients,
    movable_weights,
    optimise,
)
from memloc.model.partial_forward import LowerLayers, last_mlp_from
from memloc.perturbation.perturbed_prefixes import run_versions
from memloc.removal.edit_cases import LEARNED, Case, mispaired
from memloc.removal.relearning import steps_until_recited
from memloc.run.seeds import generator
from memloc.scoring.early_stopping import match_batch
from memloc.scoring.losses import log_probabilities
from memloc.scoring.paragraph_scores import concatenated, scores_of_states, teacher_forced
from memloc.settings.arms import PAPER_ARMS
from memloc.settings.editing import Editing


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


@torch.no_grad()
def evaluate(
    model: PreTrainedModel,
    case: Case,
    recipe: Recipe,
    trained: Float[Tensor, "text continuation width"] | None = None,
) -> dict[str, float]:
    """Mean EM (tokens) and NLL (nats per token) of the case's texts, named em_<text> and nll_<text>.

    `trained` are the last hidden states of the learned paragraph and the controls, which a pass of training
    may have given. EM of the controls is against the original model's continuation; there is none of held-out
    text, whose continuation is the corpus's. Values of a missing target are NaN.
    """
    texts = {
        "memorized": case.memorized,
        "target": case.memorized[:0] if case.target is None else case.target,
        "control": case.controls,
        "other": case.others,
        "held_out": case.held_out,
    }
    given = [LEARNED[recipe.objective], "control"]
    order = [*given, *(name for name in texts if name not in given)]
    tokens, rest = (torch.cat([texts[name] for name in names]) for names in (order[:2], order[2:]))
    if trained is None:
        trained = _states(model, tokens, recipe)
    with last_mlp_from(model, recipe.n_prefix - 1):
        others = teacher_forced(model, rest, recipe.n_prefix, recipe.how.micro_batch)
    true = tokens[:, recipe.n_prefix :].to(trained.device)
    scores = concatenated([scores_of_states(model, trained, true), others])
    sizes = [len(texts[name]) for name in order]
    em, nll = (
        dict(zip(order, column.float().split(sizes), strict=True)) for column in (scores.em, scores.nll)
    )
    means = {}
    for name in texts:
        means |= {f"em_{name}": em[name].mean().item(), f"nll_{name}": nll[name].mean().item()}
    del means["em_held_out"]
    return means


def _states(
    model: PreTrainedModel, trained: Int[Tensor, "text token"], recipe: Recipe
) -> Float[Tensor, "text continuation width"]:
    """Last hidden states of the texts that an objective is computed from."""
    with last_mlp_from(model, recipe.n_prefix - 1):
        return detached_states(model, trained, recipe.n_prefix, recipe.how.micro_batch)


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
    learned, below = case.learned(recipe.objective), LowerLayers(model, layer)
    gradients = first_gradients(model, learned, recipe)
    with below.once():
        states = _states(model, torch.cat([learned, case.controls]), recipe)
        scores = evaluate(model, case, recipe, states)
    terms = Terms(learned, case.controls, log_probabilities(model, states[len(learned) :]))
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
            for step, states in optimise(
                model, shared.terms, shared.gradients, movable, learning_rate, recipe
            ):
                if step % recipe.how.evaluate_every == 0 or step == recipe.how.steps:
                    trajectory.append({"step": step, **evaluate(model, case, recipe, states)})
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
