"""Runs of unlearning and editing: what moves, what is measured, what is restored, and which are made."""

import numpy as np
import pytest
import torch
from made_edits import N_CONTINUATION, RECIPE, recipe_of, subject, weights

from memloc.editing import steps
from memloc.editing.masks import head_weights, movable_weights
from memloc.model.weights import EditError, n_weights
from memloc.removal import editing
from memloc.removal.editing import edit_case, evaluate, start
from memloc.scoring.paragraph_scores import teacher_forced
from memloc.settings.editing import ARMS


@pytest.mark.parametrize("objective", ["unlearn", "edit"])
def test_only_the_arm_moves_and_all_is_restored(memorizing_model, case, objective):
    before, logits = weights(memorizing_model), memorizing_model(case.memorized).logits
    seen = []

    def spy(subject, changed_case):
        seen.append(weights(subject.model))
        return evaluate(subject, changed_case)

    recipe = recipe_of(objective=objective)
    shared = start(subject(memorizing_model), case, recipe)
    for arm in ARMS:
        seen.clear()
        options = (shared.origin.gradients, 0.01, np.random.default_rng(0))
        movable = movable_weights(subject(memorizing_model), arm, *options)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(editing, "evaluate", spy)
            row = editing.edit_paragraph(subject(memorizing_model), shared, movable, 1e-3, recipe)
        n_changed = 0
        for name, weight in seen[-1].items():
            changed = (weight != before[name]).flatten()
            n_changed += int(changed.sum())
            if name in movable:
                changed[movable[name]] = False
            assert not changed.any()
        assert row["n_changed_weights"] == n_changed
        n_movable = n_weights(subject(memorizing_model), movable)
        assert 0.5 * n_movable < n_changed <= n_movable
        assert torch.equal(memorizing_model(case.memorized).logits, logits)
        assert all(torch.equal(weight, before[name]) for name, weight in weights(memorizing_model).items())


def test_a_leak_fails_the_run_and_the_weights_are_restored(memorizing_model, case, monkeypatch):
    """A sparse arm with the authors' optimiser, as their code has it."""
    logits, model = memorizing_model(case.memorized).logits, subject(memorizing_model)
    monkeypatch.setattr(steps, "SparseAdam", steps.ReferenceAdam)
    shared, movable = start(model, case, RECIPE), head_weights(model, 1, 3)
    with pytest.raises(EditError, match="changed outside of the mask"):
        editing.edit_paragraph(model, shared, movable, 1e-3, RECIPE)
    assert torch.equal(memorizing_model(case.memorized).logits, logits)
    with pytest.raises(EditError, match="changed outside of the mask"):
        edit_case(model, case, RECIPE, 0)


def test_evaluation_is_that_of_each_text_by_itself(memorizing_model, case):
    values = evaluate(subject(memorizing_model), case)
    for name, text in {
        "memorized": case.memorized,
        "target": case.target,
        "control": case.controls,
        "other": case.others,
    }.items():
        scores = teacher_forced(subject(memorizing_model, 100), text)
        assert values[f"em_{name}"] == pytest.approx(scores.em.float().mean().item())
    scores = teacher_forced(subject(memorizing_model, 100), case.controls)
    assert values["nll_control"] == pytest.approx(scores.nll.mean().item(), abs=1e-5)
    without = evaluate(subject(memorizing_model), case._replace(target=None))
    assert np.isnan(without["em_target"]) and without["em_control"] == pytest.approx(values["em_control"])


def test_every_arm_has_the_mildest_rate_that_ends_the_recitation(memorizing_model, case):
    """As a search from the mildest on finds it; random weights have the rate of the top ones."""
    rates = [10.0**power for power in range(-6, 0)]
    recipe = recipe_of(steps=3, learning_rates=rates[::-1])
    model, expected = subject(memorizing_model), {}
    run = edit_case(model, case, recipe, 0).set_index("arm")
    assert run.index.tolist() == ["all", "top", "random"]
    shared = start(model, case, recipe)
    for arm in ("all", "top"):
        options = (shared.origin.gradients, recipe.how.fraction, np.random.default_rng(0))
        movable = movable_weights(model, arm, *options)
        rows = [editing.edit_paragraph(model, shared, movable, rate, recipe) for rate in rates]
        ending = [rate for rate, row in zip(rates, rows, strict=True) if row["em_memorized"] < N_CONTINUATION]
        expected[arm] = min(ending, default=rates[-1])
    assert run["learning_rate"].to_dict() == expected | {"random": expected["top"]}
    assert min(rates) < expected["all"] < max(rates), "the search has something to find"
