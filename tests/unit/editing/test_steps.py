"""Steps down the objectives, written out: gradients, what Adam makes of them, what must have moved."""

import copy
from contextlib import nullcontext

import pytest
import torch
from made_edits import N_CONTINUATION, N_PREFIX, N_TOKENS, RECIPE, recipe_of, subject, weights
from made_requests import other_text
from plain_gradients import kl, nll
from torch import Tensor

from memloc.editing.gradients import nll_gradients
from memloc.editing.masks import head_weights
from memloc.editing.optimisers import SparseAdam
from memloc.editing.steps import count_changed, objective_gradients, optimise, origin_of, steps_until_recited
from memloc.model.weights import EditError, Original, all_weights, edited, moved
from memloc.scoring.held_out import own_continuations
from memloc.scoring.paragraph_scores import teacher_forced


@pytest.fixture
def controls(memorizing_model) -> Tensor:
    unknown = torch.randint(64, (4, N_TOKENS), generator=torch.Generator().manual_seed(5))
    return own_continuations(subject(memorizing_model), unknown)


@pytest.mark.parametrize(("objective", "sign"), [("unlearn", -1), ("edit", 1)])
def test_steps_go_down_the_written_out_objective(
    memorizing_model, memorized_tokens, controls, objective, sign
):
    """At the first step the paragraph's term is the objective's gradient: the other one's is zero."""
    model, theta0, slow = memorizing_model, *(copy.deepcopy(memorizing_model) for _ in range(2))
    learned = memorized_tokens[:1].roll(1, dims=0) if objective == "unlearn" else controls[:1]
    recipe = recipe_of(objective, kl_weight=2.0)
    origin = origin_of(subject(model), learned, controls, recipe)
    adam = SparseAdam(subject(slow), all_weights(subject(slow)), 1e-3)
    for step in range(4):
        slow.zero_grad()
        divergence = 2.0 * kl(slow, theta0, controls, N_PREFIX) / N_CONTINUATION  # Eq. 3 and 4
        (sign * nll(slow, learned, N_PREFIX) + divergence).backward()
        written_out = {name: slow.get_parameter(name).grad for name in subject(slow).weights}
        found = objective_gradients(subject(slow), origin.terms, recipe) if step else origin.gradients
        torch.testing.assert_close(found, written_out, atol=1e-5, rtol=1e-3)
        adam.step(found)
    optimise(subject(model), origin, all_weights(subject(model)), 1e-3, recipe)
    torch.testing.assert_close(model.state_dict(), slow.state_dict(), atol=1e-5, rtol=0)  # 1 % of a step


def test_the_gradient_of_several_paragraphs_is_their_mean(memorizing_model, memorized_tokens, controls):
    recipe = RECIPE
    single = [
        origin_of(subject(memorizing_model), text[None], controls, recipe) for text in memorized_tokens[:3]
    ]
    joint = origin_of(subject(memorizing_model), memorized_tokens[:3], controls, recipe)
    again = objective_gradients(subject(memorizing_model), joint.terms, recipe)
    mean = {name: sum(origin.gradients[name] for origin in single) / 3 for name in again}
    for gradients in (joint.gradients, again):
        torch.testing.assert_close(gradients, mean, atol=1e-6, rtol=1e-3)


def test_one_pass_for_both_terms_and_none_back_below_the_lowest_layer_that_moves(
    memorizing_model, memorized_tokens, controls
):
    """A layer's output that needs no gradient ends the backward pass."""
    origin, needs_gradient = origin_of(subject(memorizing_model), memorized_tokens[:1], controls, RECIPE), {}
    for layer, block in enumerate(memorizing_model.transformer.h):

        def watch(_block, _inputs, output, layer=layer):
            hidden = output if isinstance(output, Tensor) else output[0]
            assert len(hidden) == 1 + len(controls) and layer not in needs_gradient
            needs_gradient[layer] = hidden.requires_grad

        block.register_forward_hook(watch)
    head = head_weights(subject(memorizing_model), 1, 0)
    optimise(subject(memorizing_model), origin, head, 1e-3, recipe_of(steps=2))
    assert needs_gradient == {0: False, 1: True}


def test_a_copy_of_the_movable_weights_brings_the_model_back_as_a_copy_of_all_does(
    memorizing_model, controls
):
    """After a run, and after one that fails half way."""
    model = subject(memorizing_model)
    origin = origin_of(model, other_text(2), controls, RECIPE)
    movable = head_weights(model, 1, 3)
    for context in (edited(model), moved(model, movable)):
        before = weights(memorizing_model)
        with pytest.raises(ZeroDivisionError), context:
            optimise(model, origin, movable, 1e-2, RECIPE)
            changed = [name for name, own in weights(memorizing_model).items() if not own.equal(before[name])]
            raise ZeroDivisionError
        assert {*changed} == {*movable}
        assert all(own.equal(before[name]) for name, own in weights(memorizing_model).items())


@pytest.mark.parametrize(("n_changed", "enough"), [(5, True), (4, False)])
def test_half_of_the_weights_that_may_move_must_change(tiny_gpt_neo, n_changed, enough):
    name, original = "transformer.h.1.mlp.c_fc.weight", Original(subject(tiny_gpt_neo))
    with torch.no_grad():
        tiny_gpt_neo.get_parameter(name)[0, :n_changed] += 1
    with (
        nullcontext()
        if enough
        else pytest.raises(EditError, match="only 4 of 10 weights .*rounding swallows")
    ):
        assert count_changed(subject(tiny_gpt_neo), original, {name: torch.arange(10)}, RECIPE) == n_changed


def test_each_of_several_paragraphs_is_relearned_at_the_first_step_that_recites_it(memorizing_model):
    """Against a loop that looks at all of them after every step, some of which are forgotten again."""
    texts, found, slow = other_text(6), [], copy.deepcopy(memorizing_model)
    adam = SparseAdam(subject(slow), all_weights(subject(slow)), 3e-2)
    for _ in range(30):
        found.append((teacher_forced(subject(slow, 6), texts).em == N_CONTINUATION).tolist())
        adam.step(nll_gradients(subject(slow, 6), texts))
    expected = [column.index(True) if any(column) else None for column in zip(*found, strict=True)]
    last = max(filter(None, expected))
    assert len(set(expected)) > 2
    for limit in (last, last - 1):
        in_time = [n if n is not None and n <= limit else None for n in expected]
        model = copy.deepcopy(memorizing_model)
        assert steps_until_recited(subject(model, 6), texts, 3e-2, limit) == in_time
