"""Unlearning and editing of memorized paragraphs, one by one, and the effects (paper 5.3, Figure 5).

Every memorized paragraph is edited by itself, from the original weights θ0, with every arm (`editing.steps`),
at the dose that the arm needs: the mildest learning rate that ends the recitation.
The weights are restored bit for bit afterwards. The edit target is the paragraph's own prefix, followed by
the continuation of its strongest perturbation (its PMP). In the authors' code (`reference`), the continuation
comes from a randomly paired paragraph's PMP (`edit_cases.mispaired`). All scores are in single precision.
"""

from bisect import bisect_left
from typing import Any, NamedTuple

import pandas as pd
import torch

from memloc.editing.masks import movable_weights
from memloc.editing.steps import Origin, Recipe, count_changed, may_move, optimise, origin_of
from memloc.model.subject import Subject
from memloc.model.weights import Movable, edited, moved
from memloc.removal.edit_cases import Case
from memloc.run.seeds import generator
from memloc.scoring.paragraph_scores import teacher_forced
from memloc.settings.editing import ARMS


class Start(NamedTuple):
    """A case and the state at θ0, which all its runs share."""

    case: Case
    origin: Origin
    scores: dict[str, float]


def evaluate(subject: Subject, case: Case) -> dict[str, float]:
    """Mean EM (tokens) of the case's texts, em_<text>, and NLL (nats per token) of the controls, nll_control.

    EM of the controls is against the original model's continuation. Values of a missing target are NaN.
    """
    texts = {
        "memorized": case.memorized,
        "target": case.memorized[:0] if case.target is None else case.target,
        "control": case.controls,
        "other": case.others,
    }
    scores = teacher_forced(subject, torch.cat([*texts.values()]))
    sizes = [len(text) for text in texts.values()]
    em, nll = (dict(zip(texts, found.float().split(sizes), strict=True)) for found in (scores.em, scores.nll))
    exact = {f"em_{name}": found.mean().item() for name, found in em.items()}
    return exact | {"nll_control": nll["control"].mean().item()}


def start(subject: Subject, case: Case, recipe: Recipe) -> Start:
    """The start of all runs of a case; the model must have its original weights."""
    learned = case.memorized if recipe.objective == "unlearn" else case.target
    return Start(case, origin_of(subject, learned, case.controls, recipe), evaluate(subject, case))


def edit_paragraph(
    subject: Subject, shared: Start, movable: Movable, learning_rate: float, recipe: Recipe
) -> dict[str, Any]:
    """One run: a row of `edits`. The model has its original weights before and after.

    Raises:
        EditError: as in `count_changed`.
    """
    with edited(subject) as original:
        optimise(subject, shared.origin, movable, learning_rate, recipe)
        return {
            **evaluate(subject, shared.case),
            **{f"{name}_before": shared.scores[name] for name in ("em_other", "nll_control")},
            "n_changed_weights": count_changed(subject, original, movable, recipe),
        }


def mildest_rate(subject: Subject, shared: Start, movable: Movable, recipe: Recipe) -> float:
    """The dose: the mildest learning rate that ends the recitation of the paragraph, or the strongest of all.

    It is found by bisection, as if a stronger rate always ended what a milder one ends. The strongest one is
    not tried. The model has its original weights before and after.
    """
    rates, tokens = sorted(recipe.how.learning_rates), shared.case.memorized

    def ends(rate: float) -> bool:
        with moved(subject, may_move(subject, movable, recipe)):
            optimise(subject, shared.origin, movable, rate, recipe)
            return bool((teacher_forced(subject, tokens).em < tokens.shape[1] - subject.n_prefix).any())

    return rates[bisect_left(rates[:-1], True, key=ends)]


def edit_case(subject: Subject, case: Case, recipe: Recipe, seed: int) -> pd.DataFrame:
    """Edit a case with every arm, each at its dose: rows of `edits`.

    Random weights, the baseline of the top ones, are edited at the dose of these, which come before them.

    Raises:
        EditError: as in `count_changed`.
    """
    shared, rows, doses = start(subject, case, recipe), [], {}
    for arm in ARMS:
        random = generator(seed, "editing", "random", str(case.id))
        movable = movable_weights(subject, arm, shared.origin.gradients, recipe.how.fraction, random)
        rate = doses["top"] if arm == "random" else mildest_rate(subject, shared, movable, recipe)
        doses[arm] = rate
        labels = {"id": case.id, "objective": recipe.objective, "arm": arm, "learning_rate": rate}
        rows.append(labels | edit_paragraph(subject, shared, movable, rate, recipe))
    return pd.DataFrame(rows)
