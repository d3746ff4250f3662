"""Steps of unlearning and editing against written-out loops, and which weights take them."""

import copy

import numpy as np
import pytest
import torch
from made_edits import N_CONTINUATION, N_PREFIX, N_TOKENS, RECIPE, recipe_of
from torch import Tensor
from transformers import PreTrainedModel

from memloc.editing import steps as edit_steps
from memloc.editing.masks import all_weights, at_places, head_weights
from memloc.editing.objectives import original_log_probabilities
from memloc.editing.optimisers import SparseAdam
from memloc.editing.steps import Terms, first_gradients, movable_weights, objective_gradients
from memloc.model.components import editable_parameters
from memloc.removal.edit_cases import Case
from memloc.removal.editing import start


def slow_objective(
    model: PreTrainedModel, theta0: PreTrainedModel, case: Case, objective: str, w: float, k: float
) -> Tensor:
    """Eq. 3 and 4 with loops over positions, from whole forward passes."""
    learned = case.memorized if objective == "unlearn" else case.target
    log_p = model(learned).logits[0].log_softmax(dim=-1)
    nll = -sum(log_p[place - 1, learned[0, place]] for place in range(N_PREFIX, N_TOKENS)) / N_CONTINUATION
    kl = 0
    for control in case.controls:
        p = model(control[None]).logits[0].log_softmax(dim=-1)
        p0 = theta0(control[None]).logits[0].log_softmax(dim=-1).detach()
        for place in range(N_PREFIX - 1, N_TOKENS - 1):
            kl = kl + (p0[place].exp() * (p0[place] - p[place])).sum()
    kl = kl / N_CONTINUATION / len(case.controls)
    return (-w if objective == "unlearn" else w) * nll + k * kl


@pytest.mark.parametrize("objective", ["unlearn", "edit"])
def test_steps_go_down_the_written_out_objective(memorizing_model, case, objective):
    """Gradients at every step against Eq. 3 and 4 by hand; what Adam makes of them, by hand as well."""
    theta0, slow = copy.deepcopy(memorizing_model), copy.deepcopy(memorizing_model)
    recipe = recipe_of(objective=objective, nll_weight=0.7, kl_weight=2.0)
    shared, movable = start(memorizing_model, case, recipe), all_weights(memorizing_model)
    adam = SparseAdam(slow, movable, 1e-3)
    for step, _ in edit_steps.optimise(
        memorizing_model, shared.terms, shared.gradients, movable, 1e-3, recipe
    ):
        slow.zero_grad()
        slow_objective(slow, theta0, case, objective, 0.7, 2.0).backward()
        written_out = {name: slow.get_parameter(name).grad for name in editable_parameters(slow)}
        at_first = step == 1  # the paragraph's term alone: the other one is zero at θ0
        gradients = shared.gradients if at_first else objective_gradients(slow, shared.terms, recipe)
        for name, gradient in gradients.items():
            torch.testing.assert_close(gradient, written_out[name], atol=1e-5, rtol=1e-3)
        adam.step(at_places(gradients, movable))
        assert all(
            torch.equal(weight, slow.get_parameter(name))
            for name, weight in memorizing_model.named_parameters()
        )


@pytest.mark.parametrize("objective", ["unlearn", "edit"])
def test_the_first_gradient_of_several_paragraphs_is_their_mean_and_that_of_both_terms(
    memorizing_model, memorized_tokens, case, objective
):
    recipe = recipe_of(objective=objective, nll_weight=0.7)
    original = original_log_probabilities(memorizing_model, case.controls, N_PREFIX, 8)
    terms = Terms(memorized_tokens[:3].roll(1, dims=0), case.controls, original)
    single = [first_gradients(memorizing_model, text[None], recipe) for text in terms.learned]
    joint = first_gradients(memorizing_model, terms.learned, recipe)
    for name, gradient in objective_gradients(memorizing_model, terms, recipe).items():
        torch.testing.assert_close(joint[name], gradient, atol=1e-6, rtol=1e-3)
        mean = sum(gradients[name] for gradients in single) / 3
        torch.testing.assert_close(gradient, mean, atol=1e-6, rtol=1e-3)


def test_one_pass_for_both_terms_and_none_back_below_the_lowest_layer_that_moves(memorizing_model, case):
    """A layer's output that needs no gradient ends the backward pass."""
    shared, needs_gradient = start(memorizing_model, case, RECIPE), {}
    for layer, block in enumerate(memorizing_model.transformer.h):

        def watch(_block, _inputs, output, layer=layer):
            hidden = output if isinstance(output, Tensor) else output[0]
            assert len(hidden) == 1 + len(case.controls) and layer not in needs_gradient
            needs_gradient[layer] = hidden.requires_grad

        block.register_forward_hook(watch)
    steps = edit_steps.optimise(
        memorizing_model,
        shared.terms,
        shared.gradients,
        head_weights(memorizing_model, 1, 0),
        1e-3,
        recipe_of(steps=2),
    )
    assert [reached.step for reached in steps] == [1, 2]
    assert needs_gradient == {layer: layer >= 1 for layer in needs_gradient} and len(needs_gradient) > 1


def test_head_and_layer_are_those_given(memorizing_model, case):
    gradients = start(memorizing_model, case, RECIPE).gradients
    options = (gradients, 0.01, (1, 3), np.random.default_rng(0))
    head = movable_weights(memorizing_model, "head", *options)
    expected = head_weights(memorizing_model, 1, 3)
    assert all(torch.equal(places, expected[name]) for name, places in head.items())
    layer = movable_weights(memorizing_model, "layer", *options)
    assert layer and all(".h.1." in name for name in layer)
