"""Selections of weights against slow counterparts: exact sizes, the right places, nothing else moves."""

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import PreTrainedModel

from memloc.editing.gradients import nll_gradients
from memloc.editing.masks import (
    EVERY,
    EditError,
    Movable,
    OriginalWeights,
    all_weights,
    at_places,
    head_weights,
    largest,
    layer_weights,
    lowest_layer,
    n_weights,
    random_weights,
    top_weights,
)
from memloc.editing.optimisers import ReferenceAdam, SparseAdam
from memloc.model.components import components, editable_parameters

N_PREFIX = 5


def masks(model: PreTrainedModel, movable: Movable) -> dict[str, Tensor]:
    """Selections as one truth value per weight."""
    found = {}
    for name in editable_parameters(model):
        found[name] = torch.zeros_like(model.get_parameter(name), dtype=torch.bool)
        if name in movable:
            found[name].view(-1)[movable[name]] = True
    return found


def n_editable(model: PreTrainedModel) -> int:
    return sum(model.get_parameter(name).numel() for name in editable_parameters(model))


@pytest.mark.parametrize("fraction", [0.001, 0.013, 0.5, 1.0])
def test_top_and_random_have_the_exact_size(tiny_model, tiny_tokens, fraction):
    gradients = nll_gradients(tiny_model, tiny_tokens, N_PREFIX, 7)
    expected = max(1, round(fraction * n_editable(tiny_model)))
    for movable in (
        top_weights(gradients, fraction),
        random_weights(tiny_model, fraction, np.random.default_rng(0)),
    ):
        assert n_weights(tiny_model, movable) == expected
        assert sum(int(mask.sum()) for mask in masks(tiny_model, movable).values()) == expected


@pytest.mark.parametrize("n", [1, 300, 20_000, 399_999, 400_000])
@pytest.mark.parametrize("kind", ["spread", "tied", "constant", "sample_is_larger", "sample_is_smaller"])
def test_the_largest_values_are_those_of_topk(kind, n):
    """Also where every fourth value, of which the sample is made, is unlike the others."""
    values = torch.rand(400_000, generator=torch.Generator().manual_seed(0))
    if kind == "tied":
        values = (values * 50).round()
    elif kind == "constant":
        values = torch.zeros_like(values)
    elif kind.startswith("sample"):
        values[::4] += 1 if kind == "sample_is_larger" else -1
    places = largest(values, n)
    assert len(places.unique()) == n
    assert torch.equal(values[places].sort().values, values.topk(n).values.sort().values)


def test_a_fraction_too_small_for_one_weight_selects_one(tiny_gpt_neo):
    assert n_weights(tiny_gpt_neo, random_weights(tiny_gpt_neo, 1e-9, np.random.default_rng(0))) == 1


def test_ties_do_not_change_the_size():
    movable = top_weights({"a": torch.ones(4, 3), "b": torch.ones(8)}, 0.25)
    assert sum(len(places) for places in movable.values()) == 5


def test_top_weights_are_those_of_a_sorted_list(tiny_model, tiny_tokens):
    gradients = nll_gradients(tiny_model, tiny_tokens, N_PREFIX, 7)
    chosen = masks(tiny_model, top_weights(gradients, 0.02))
    listed = sorted(
        (
            (abs(value), name, place)
            for name, gradient in gradients.items()
            for place, value in enumerate(gradient.flatten().tolist())
        ),
        reverse=True,
    )[: round(0.02 * n_editable(tiny_model))]
    assert {(name, place) for _, name, place in listed} == {
        (name, place)
        for name, mask in chosen.items()
        for place in mask.flatten().nonzero().flatten().tolist()
    }


def test_random_weights_follow_the_generator_and_spread_over_all(tiny_gpt_neo):
    first, again, other = (
        masks(tiny_gpt_neo, random_weights(tiny_gpt_neo, 0.3, np.random.default_rng(seed)))
        for seed in (0, 0, 1)
    )
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)
    assert all(0.2 < mask.float().mean() < 0.4 for mask in first.values())


@pytest.mark.parametrize("head", range(4))
def test_head_weights_are_the_heads_rows_of_every_view(tiny_model, head):
    """Every head: of 4 query heads and 2 key/value heads, 0 and 1 read the first, 2 and 3 the second."""
    chosen = masks(tiny_model, head_weights(tiny_model, 1, head))
    for component in components(tiny_model):
        view = component.view(chosen[component.parameter])
        if component.layer != 1 or component.n_heads is None:
            assert not view.any()
        else:
            own = head if component.n_heads == 4 else [0, 0, 1, 1][head]
            assert view[own].all()
            assert view.sum() == view[own].numel()


def test_layer_weights_are_all_of_one_layer(tiny_model):
    chosen = masks(tiny_model, layer_weights(tiny_model, 0))
    for component in components(tiny_model):
        assert component.view(chosen[component.parameter]).all() == (component.layer == 0)


def test_the_lowest_layer_is_the_first_that_holds_selected_weights(tiny_gpt_neo):
    lower, upper = (layer_weights(tiny_gpt_neo, layer) for layer in range(2))
    found = [lowest_layer(tiny_gpt_neo, movable) for movable in (lower, upper, upper | lower)]
    assert found == [0, 1, 0]


def test_all_weights(tiny_model):
    assert n_weights(tiny_model, all_weights(tiny_model)) == n_editable(tiny_model)
    assert list(all_weights(tiny_model).values()) == [EVERY] * len(editable_parameters(tiny_model))


def selections(model: PreTrainedModel, tokens: Tensor) -> list[Movable]:
    return [
        all_weights(model),
        top_weights(nll_gradients(model, tokens, N_PREFIX, 7), 0.02),
        random_weights(model, 0.02, np.random.default_rng(0)),
        head_weights(model, 0, 2),
        layer_weights(model, 1),
    ]


@pytest.mark.parametrize("place", range(5))
def test_sparse_adam_is_torchs_adam_on_the_mask_over_20_steps(tiny_model, tiny_tokens, place):
    """The slow counterpart keeps dense moments and undoes every step outside of the mask."""
    movable = selections(tiny_model, tiny_tokens)[place]
    mask = masks(tiny_model, movable)
    start = {name: weight.detach().clone() for name, weight in tiny_model.named_parameters()}
    names = editable_parameters(tiny_model)

    sparse = SparseAdam(tiny_model, movable, 1e-3)
    for _ in range(20):
        sparse.step(at_places(nll_gradients(tiny_model, tiny_tokens, N_PREFIX, 7), movable))
    fast = {name: weight.detach().clone() for name, weight in tiny_model.named_parameters()}

    with torch.no_grad():
        for name, weight in tiny_model.named_parameters():
            weight.copy_(start[name])
    dense = torch.optim.Adam([tiny_model.get_parameter(name) for name in names], lr=1e-3)
    for _ in range(20):
        gradients = nll_gradients(tiny_model, tiny_tokens, N_PREFIX, 7)
        for name in names:
            tiny_model.get_parameter(name).grad = gradients[name]
        dense.step()
        with torch.no_grad():
            for name in names:
                outside = ~mask[name]
                tiny_model.get_parameter(name)[outside] = start[name][outside]
    for name, weight in tiny_model.named_parameters():
        torch.testing.assert_close(fast[name], weight.detach(), atol=1e-6, rtol=0)
        outside = ~mask[name] if name in mask else torch.ones_like(weight, dtype=torch.bool)
        assert torch.equal(fast[name][outside], start[name][outside])
    moved = sum(int((fast[name] != start[name]).sum()) for name in fast)
    assert 0.9 * n_weights(tiny_model, movable) < moved <= n_weights(tiny_model, movable)


def test_state_is_kept_for_movable_weights_only(tiny_gpt_neo, tiny_tokens):
    movable = random_weights(tiny_gpt_neo, 0.01, np.random.default_rng(0))
    adam = SparseAdam(tiny_gpt_neo, movable, 1e-3)
    adam.step(at_places(nll_gradients(tiny_gpt_neo, tiny_tokens, N_PREFIX, 7), movable))
    moments = [state[name] for state in adam._adam.state.values() for name in ("exp_avg", "exp_avg_sq")]
    assert sum(moment.numel() for moment in moments) == 2 * n_weights(tiny_gpt_neo, movable)


@pytest.mark.parametrize("place", range(5))
def test_a_step_is_seen_by_who_keeps_a_copy_of_the_weights(tiny_model, tiny_tokens, place):
    """Packed weights are taken anew where the version of a parameter is another one."""
    movable = selections(tiny_model, tiny_tokens)[place]
    before = {name: weight._version for name, weight in tiny_model.named_parameters()}
    gradients = nll_gradients(tiny_model, tiny_tokens, N_PREFIX, 7)
    SparseAdam(tiny_model, movable, 1e-3).step(at_places(gradients, movable))
    changed = {name for name, weight in tiny_model.named_parameters() if weight._version != before[name]}
    assert changed == set(movable)


def test_reference_adam_is_dense_although_gradients_are_masked(tiny_gpt_neo, tiny_tokens):
    """The authors' optimiser, written out: masked gradients, but decay of 1 on every W_* weight."""
    movable = top_weights(nll_gradients(tiny_gpt_neo, tiny_tokens, N_PREFIX, 7), 0.01)
    mask = masks(tiny_gpt_neo, movable)
    original = OriginalWeights(tiny_gpt_neo)
    slow = {name: tiny_gpt_neo.get_parameter(name).detach().clone() for name in mask}
    first = {name: torch.zeros_like(weight) for name, weight in slow.items()}
    second = {name: torch.zeros_like(weight) for name, weight in slow.items()}
    adam = ReferenceAdam(tiny_gpt_neo, movable, 1e-4)
    for step in range(1, 6):
        gradients = nll_gradients(tiny_gpt_neo, tiny_tokens, N_PREFIX, 7)
        adam.step(at_places(gradients, movable))
        for name, weight in slow.items():
            total = gradients[name] * mask[name] + 1.0 * weight
            first[name] = 0.9 * first[name] + 0.1 * total
            second[name] = 0.999 * second[name] + 0.001 * total**2
            mean, square = first[name] / (1 - 0.9**step), second[name] / (1 - 0.999**step)
            slow[name] = weight - 1e-4 * mean / (square.sqrt() + 1e-8)
    for name, weight in slow.items():
        torch.testing.assert_close(tiny_gpt_neo.get_parameter(name).detach(), weight, atol=1e-6, rtol=0)
    n_changed = original.n_changed(tiny_gpt_neo, all_weights(tiny_gpt_neo))
    assert n_changed > 0.99 * n_editable(tiny_gpt_neo)
    with pytest.raises(EditError, match="changed outside of the mask"):
        original.n_changed(tiny_gpt_neo, movable)
    assert all(parameter.grad is None for parameter in tiny_gpt_neo.parameters())


def test_weights_are_restored_bit_for_bit(tiny_model, tiny_tokens):
    original = OriginalWeights(tiny_model)
    logits = tiny_model(tiny_tokens).logits
    with torch.no_grad():
        for parameter in tiny_model.parameters():
            parameter.add_(torch.randn_like(parameter))
    assert not torch.equal(tiny_model(tiny_tokens).logits, logits)
    original.restore(tiny_model)
    assert torch.equal(tiny_model(tiny_tokens).logits, logits)
    assert original.n_changed(tiny_model, {}) == 0


def test_changes_are_counted_and_refused_outside_of_the_mask(tiny_gpt_neo):
    original = OriginalWeights(tiny_gpt_neo)
    name = editable_parameters(tiny_gpt_neo)[1]
    with torch.no_grad():
        tiny_gpt_neo.get_parameter(name).view(-1)[[3, 5]] += 1e-6
    assert original.n_changed(tiny_gpt_neo, {name: torch.tensor([3, 5, 9])}) == 2
    assert original.n_changed(tiny_gpt_neo, {name: EVERY}) == 2
    with pytest.raises(EditError, match=f"{name}: 1 weights changed outside"):
        original.n_changed(tiny_gpt_neo, {name: torch.tensor([3])})


@pytest.mark.parametrize("name", ["transformer.wte.weight", "transformer.h.0.ln_1.bias"])
def test_a_change_of_what_is_no_component_is_refused(tiny_gpt_neo, name):
    original = OriginalWeights(tiny_gpt_neo)
    with torch.no_grad():
        tiny_gpt_neo.get_parameter(name).view(-1)[0] += 1
    with pytest.raises(EditError, match=name):
        original.n_changed(tiny_gpt_neo, all_weights(tiny_gpt_neo))


def test_weights_that_are_not_finite_are_refused(tiny_gpt_neo):
    original = OriginalWeights(tiny_gpt_neo)
    name = editable_parameters(tiny_gpt_neo)[0]
    with torch.no_grad():
        tiny_gpt_neo.get_parameter(name).view(-1)[0] = torch.inf
    with pytest.raises(EditError, match="not finite"):
        original.n_changed(tiny_gpt_neo, {name: EVERY})
