"""Steps of unlearning and editing against written-out loops, and which weights take them."""

import copy

import numpy as np
import pytest
import torch
from made_edits import N_CONTINUATION, N_PREFIX, N_TOKENS, RECIPE, recipe_of, weights
from torch import Tensor
from transformers import PreTrainedModel

from memloc.editing import steps as edit_steps
from memloc.editing.bfloat16_products import Bfloat16Products
from memloc.editing.masks import all_weights, at_places, head_weights
from memloc.editing.objectives import original_log_probabilities, paragraph_kl
from memloc.editing.optimisers import SparseAdam
from memloc.editing.steps import Terms, first_gradients, movable_weights, objective_gradients
from memloc.model.components import editable_parameters
from memloc.removal.edit_cases import Case
from memloc.removal.editing import start
from memloc.scoring.teacher_forcing import continuation_states
from memloc.settings.arms import ARMS

LEAST_ALIKE = {"bfloat16_slopes": 0.9998, "bfloat16": 0.98}  # cosine of the changes that they make


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


@pytest.mark.parametrize("arm", ["all", "head"])
@pytest.mark.parametrize("objective", ["unlearn", "edit"])
@pytest.mark.parametrize("products", ["float32", "bfloat16_slopes", "bfloat16"])
def test_states_of_a_step_are_those_of_single_precision_or_none(
    memorizing_model, case, products, objective, arm
):
    recipe = recipe_of(objective=objective, products=products, steps=3)
    shared = start(memorizing_model, case, recipe)
    movable = movable_weights(memorizing_model, arm, shared.gradients, 0.01, (1, 2), np.random.default_rng(0))
    texts, exact = torch.cat([case.learned(objective), case.controls]), products != "bfloat16" or arm == "all"
    for step, states in edit_steps.optimise(
        memorizing_model, shared.terms, shared.gradients, movable, 1e-3, recipe
    ):
        assert (states is not None) == (exact and step < 3)
        if states is not None:
            expected = continuation_states(memorizing_model, texts, N_PREFIX).detach()
            torch.testing.assert_close(states, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.parametrize("products", ["bfloat16_slopes", "bfloat16"])
def test_products_in_bfloat16_take_nearly_the_same_steps(memorizing_model, case, arm, products):
    """Against single precision, in the direction of the whole change.

    Of editing, whose gradient is far above the rounding; that of unlearning what is known by heart is not.
    """
    moved = []
    for type_of_products in ("float32", products):
        model = copy.deepcopy(memorizing_model)
        recipe = recipe_of(objective="edit", products=type_of_products, steps=5)
        shared, before = start(model, case, recipe), weights(model)
        random = np.random.default_rng(0)
        movable = movable_weights(model, arm, shared.gradients, 0.01, (1, 2), random)
        for _ in edit_steps.optimise(model, shared.terms, shared.gradients, movable, 1e-3, recipe):
            assert "forward" not in {name for layer in model.modules() for name in vars(layer)}
        moved.append(
            torch.cat([(weight - before[name]).flatten() for name, weight in weights(model).items()])
        )
    single, rounded = moved
    assert torch.cosine_similarity(single, rounded, dim=0) > LEAST_ALIKE[products]
    assert not torch.equal(single, rounded)


@pytest.mark.parametrize("layer", [0, 1])
def test_kl_of_unmoved_weights_is_nothing_in_bfloat16_either(memorizing_model, case, monkeypatch, layer):
    """θ0's log-probabilities come from the products that training uses, also where it shares lower layers."""
    seen = []

    def spy(model, terms, recipe):
        states = collect(model, terms, recipe)
        seen.append(paragraph_kl(model, states[1:], terms.original, False))
        return states

    collect = edit_steps._collect
    recipe = recipe_of(products="bfloat16", steps=2)
    shared, movable = start(memorizing_model, case, recipe, layer), head_weights(memorizing_model, 1, 0)
    monkeypatch.setattr(edit_steps, "_collect", spy)
    unmoved = {name: torch.zeros_like(values) for name, values in shared.gradients.items()}
    with shared.below.once():
        for _ in edit_steps.optimise(memorizing_model, shared.terms, unmoved, movable, 1e-3, recipe):
            pass
    with Bfloat16Products(memorizing_model, movable, outputs=True).used():
        states = continuation_states(memorizing_model, case.controls, N_PREFIX)
    rounding = paragraph_kl(memorizing_model, states, shared.terms.original, False)
    assert seen[0].abs().max() < 1e-7 < rounding.abs().max() / 100


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
