"""Straightforward implementations that only the benchmark runs, against the library."""

import copy

import pandas as pd
import pytest
import torch

from memloc.editing import steps as edit_steps
from memloc.removal import editing
from memloc.removal.edit_cases import Case
from memloc.settings.editing import Editing
from memloc.straightforward.editing import Texts, relearn, unlearn_and_judge
from memloc.straightforward.masked_adam import largest, train


def test_the_last_allowed_step_of_relearning_counts(memorizing_model, memorized_tokens):
    own, n_prefix = memorized_tokens[:1], 12
    train(memorizing_model, own, memorized_tokens[1:4], n_prefix, largest(1.0), 3e-3, 4)
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
    found = unlearn_and_judge(plain, Texts(own, control, other, held_out, perturbed), 12, 0.2, rate, 5, 9)
    case = Case(0, own, None, control, held_out, other, perturbed)
    recipe = edit_steps.Recipe("unlearn", n_prefix, Editing(steps=5, fraction=0.2, relearning_limit=9))
    expected = editing.edit_paragraphs(memorizing_model, [case], recipe, ["top"], [rate], (0, 0), 0).iloc[0]
    again = None if expected["relearning_steps"] is pd.NA else expected["relearning_steps"]
    assert found.pop("relearning_steps") == again
    assert found == pytest.approx({name: expected[name] for name in found}, rel=1e-3, abs=1e-5)
    assert (found["em_memorized"] < 12) == (rate == 3e-3)
