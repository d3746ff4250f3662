"""Deviations in unlearning and editing (section 5.3). Each is taken by itself, and all of them together."""

from collections.abc import Callable
from typing import NamedTuple

import pandas as pd
import torch
from transformers import PreTrainedModel

from deviations.run import Run
from memloc.editing.gradients import Gradients, editable_gradients, take_gradients
from memloc.editing.masks import OriginalWeights, at_places
from memloc.editing.objectives import Objective, collect_kl_term, detached_states, original_log_probabilities
from memloc.editing.optimisers import ReferenceAdam, SparseAdam
from memloc.editing.steps import Recipe, Terms, movable_weights, objective_gradients
from memloc.model.loading import load_model
from memloc.removal.edit_cases import Case, edit_cases, mispaired, with_text_to_learn
from memloc.removal.editing import evaluate
from memloc.run.seeds import generator
from memloc.scoring import losses
from memloc.scoring.teacher_forcing import continuation_states
from memloc.settings.arms import PAPER_ARMS
from memloc.settings.published import REFERENCE_NLL_WEIGHT

PLOTTED_STEPS = 5  # in the authors' plot notebook
TEXTS = {
    "unlearn": {"EM left": "em_memorized", "of controls": "em_control"},
    "edit": {"EM left": "em_memorized", "of the target": "em_target", "of controls": "em_control"},
}


class Change(NamedTuple):
    """What edits do as the authors' code does."""

    summed_kl: bool = False
    nll_weight: float = 1.0
    decay: bool = False
    other_target: bool = False
    memorized_context: bool = False


ALL = Change(summed_kl=True, nll_weight=REFERENCE_NLL_WEIGHT, decay=True, other_target=True)
"""What `reference: [editing]` changes."""


def changed(objective: Objective, change: Change, plotted: bool = False) -> Callable[[Run], str]:
    """Effect of a change; `plotted` runs end where the authors' plotted ones do."""

    def effect(run: Run) -> str:
        steps = run.settings.editing.steps
        code = _at(edited(run, objective, change), PLOTTED_STEPS if plotted else steps)
        return _compared(objective, _at(stored(run, objective), steps), code)

    return effect


def fewer_steps(objective: Objective) -> Callable[[Run], str]:
    """Effect of the steps that the authors plot, as table `edit_trajectories` has it."""

    def effect(run: Run) -> str:
        rows, steps = stored(run, objective), run.settings.editing.steps
        return _compared(objective, _at(rows, steps), _at(rows, PLOTTED_STEPS))

    return effect


def stored(run: Run, objective: Objective) -> pd.DataFrame:
    """Rows of table `edit_trajectories` of the edits by the text, at the first learning rate."""
    rows, rate = run.table("edit_trajectories"), run.settings.editing.learning_rates[0]
    return rows[(rows["objective"] == objective) & (rows["learning_rate"] == rate) & ~rows["reference"]]


def edited(run: Run, objective: Objective, change: Change) -> pd.DataFrame:
    """What `stored` gives after the plotted and the last step (id, arm, step and scores), with a change."""
    changes = {"reference": change.summed_kl, "nll_weight": change.nll_weight}
    how = run.settings.editing.model_copy(update=changes)
    recipe = Recipe(objective, run.n_prefix, how)
    names = ("paragraphs", "sets", "perturbation", "perturbed_paragraphs")
    cases = edit_cases({name: run.table(name) for name in names}, run.n_prefix, run.seed, how)
    cases = with_text_to_learn(cases, objective)
    if change.other_target:
        cases = mispaired(cases, run.n_prefix, generator(run.seed, "editing", "pairs"))
    model, rows = load_model(run.folder), []
    original = OriginalWeights(model)
    for case in cases:
        gradient = _gradient(model, case, recipe, change)
        first = gradient()
        for arm in PAPER_ARMS:
            random = generator(run.seed, "editing", "random", str(case.id))
            movable = movable_weights(model, arm, first, how.fraction, run.head, random)
            adam = (ReferenceAdam if change.decay else SparseAdam)(model, movable, how.learning_rates[0])
            for step in range(1, how.steps + 1):
                adam.step(at_places(first if step == 1 else gradient(), movable))
                if step in (PLOTTED_STEPS, how.steps):
                    rows.append({"id": case.id, "arm": arm, "step": step, **evaluate(model, case, recipe)})
            original.restore(model)
    return pd.DataFrame(rows)


def _gradient(model: PreTrainedModel, case: Case, recipe: Recipe, change: Change) -> Callable[[], Gradients]:
    """Gradient of the objective at the weights of the moment when it is called; p0 is that of now."""
    controls, n_prefix, batch = case.controls, recipe.n_prefix, recipe.how.micro_batch
    if not change.memorized_context:
        original = original_log_probabilities(model, controls, n_prefix, batch)
        terms = Terms(case.learned(recipe.objective), controls, original)
        return lambda: objective_gradients(model, terms, recipe)
    states, weights = detached_states(model, controls, n_prefix, batch), torch.ones(len(controls))
    kl = {"weights": weights / len(controls), "reference": change.summed_kl}

    def gradient() -> Gradients:
        with editable_gradients(model):
            read, true = continuation_states(model, case.memorized, n_prefix), case.target[:, n_prefix:]
            losses.token_losses(model, read, losses.nll, true).mean().backward()
            collect_kl_term(model, controls, states, n_prefix, batch, **kl)
            return take_gradients(model)

    return gradient


def _at(rows: pd.DataFrame, most: int) -> pd.DataFrame:
    """The rows of the last evaluated one of the first `most` steps."""
    return rows[rows["step"] == rows.loc[rows["step"] <= most, "step"].max()]


def _compared(objective: Objective, default: pd.DataFrame, code: pd.DataFrame) -> str:
    """Mean EM of the texts around an edit, by arm."""

    def by_arm(rows: pd.DataFrame, column: str) -> str:
        return " / ".join(f"{rows.loc[rows['arm'] == arm, column].mean():.1f}" for arm in PAPER_ARMS)

    texts = TEXTS[objective].items()
    return "; ".join(f"{words} {by_arm(default, name)}, then {by_arm(code, name)}" for words, name in texts)
