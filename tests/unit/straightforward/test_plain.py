"""Straightforward implementations that only the benchmark runs, against the library."""

import copy

import pandas as pd
import pytest
import torch

from memloc.editing import objectives
from memloc.editing import steps as edit_steps
from memloc.editing.gradients import nll_gradients
from memloc.editing.masks import top_weights
from memloc.model.components import editable_parameters
from memloc.model.loading import boot_bridge
from memloc.removal import editing
from memloc.removal.edit_cases import Case
from memloc.settings.editing import Editing
from memloc.straightforward.editing import Texts, relearn, unlearn, unlearn_and_judge
from memloc.straightforward.gradients import nll_gradients_with_all_hooks

N_PREFIX = 5


def test_gradients_with_all_hooks_are_those_of_the_library(tiny_gpt_neo, tiny_tokens):
    expected = nll_gradients(tiny_gpt_neo, tiny_tokens, N_PREFIX, 3)
    parameters = {name: tiny_gpt_neo.get_parameter(name) for name in editable_parameters(tiny_gpt_neo)}
    found = nll_gradients_with_all_hooks(boot_bridge(tiny_gpt_neo), parameters, tiny_tokens, N_PREFIX)
    assert found.keys() == expected.keys()
    for name, gradient in found.items():
        torch.testing.assert_close(gradient, expected[name], atol=1e-6, rtol=1e-4)


def test_dense_adam_with_masked_gradients_moves_what_sparse_adam_moves(tiny_gpt_neo, tiny_tokens):
    memorized, controls = tiny_tokens[:1], tiny_tokens[1:5]
    plain = copy.deepcopy(tiny_gpt_neo)
    unlearn(plain, memorized, controls, N_PREFIX, fraction=0.05, learning_rate=1e-3, steps=3)
    recipe = edit_steps.Recipe("unlearn", N_PREFIX, Editing(steps=3))
    original = objectives.original_log_probabilities(tiny_gpt_neo, controls, N_PREFIX, 8)
    terms = edit_steps.Terms(memorized, controls, original)
    first = edit_steps.objective_gradients(tiny_gpt_neo, terms, recipe)
    before = {name: weight.detach().clone() for name, weight in tiny_gpt_neo.named_parameters()}
    movable = top_weights(first, 0.05)
    steps = [
        reached.step for reached in edit_steps.optimise(tiny_gpt_neo, terms, first, movable, 1e-3, recipe)
    ]
    assert steps == [1, 2, 3]
    for name, weight in tiny_gpt_neo.named_parameters():
        torch.testing.assert_close(plain.get_parameter(name), weight, atol=2e-6, rtol=0)
    moved = sum((plain.get_parameter(name) != weight).sum() for name, weight in before.items())
    assert moved == sum(len(places) for places in movable.values())


def test_the_last_allowed_step_of_relearning_counts(memorizing_model, memorized_tokens):
    own, n_prefix = memorized_tokens[:1], 12
    unlearn(memorizing_model, own, memorized_tokens[1:4], n_prefix, 1.0, 3e-3, 4)
    steps = [relearn(copy.deepcopy(memorizing_model), own, n_prefix, 3e-3, limit) for limit in range(9)]
    needed = next(found for found in steps if found is not None)
    assert needed > 0
    assert steps == [None] * needed + [needed] * (9 - needed)


@pytest.mark.parametrize("rate", [1e-4, 3e-3])
def test_a_run_judged_by_decoding_is_that_of_the_library(memorizing_model, memorized_tokens, disturbed, rate):
    """Also where the paragraph is no longer recited, and learned again."""
    plain, n_prefix = copy.deepcopy(memorizing_model), 12
    own, control, other = memorized_tokens[:1], memorized_tokens[1:4], memorized_tokens[4:7]
    held_out = torch.randint(64, (2, 24), generator=torch.Generator().manual_seed(5))
    perturbed = disturbed[::12][:9]
    found = unlearn_and_judge(plain, Texts(own, control, other, held_out, perturbed), 12, 0.2, rate, 5, 2, 9)
    case = Case(0, own, None, control, held_out, other, perturbed)
    recipe = edit_steps.Recipe("unlearn", n_prefix, Editing(steps=5, fraction=0.2, relearning_limit=9))
    expected = editing.edit_paragraphs(memorizing_model, [case], recipe, ["top"], [rate], (0, 0), 0).edits
    expected = expected.iloc[0]
    again = None if expected["relearning_steps"] is pd.NA else expected["relearning_steps"]
    assert found.pop("relearning_steps") == again
    assert found == pytest.approx({name: expected[name] for name in found}, rel=1e-3, abs=1e-5)
    assert (found["em_memorized"] < 12) == (rate == 3e-3)
