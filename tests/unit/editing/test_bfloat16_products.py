"""Products in bfloat16 against written-out dense ones, and what rounding would lose without them."""

import pytest
import torch
from transformers.pytorch_utils import Conv1D

from memloc.editing.bfloat16_products import Bfloat16Products
from memloc.editing.masks import EVERY, all_weights, head_weights
from memloc.editing.movable_gradients import few_weights_move, layer_of
from memloc.model.components import editable_parameters
from memloc.model.onednn import use_onednn


def scattered(model):
    """A few weights of every second parameter, all of the fourth one, and none of others."""
    names = editable_parameters(model)
    movable = {name: torch.arange(7, model.get_parameter(name).numel(), 50) for name in names[::2]}
    return movable | {names[3]: EVERY}


@torch.no_grad()
def move(model, movable, size):
    """Every weight by another part of a size."""
    random = torch.Generator().manual_seed(5)
    for name, places in movable.items():
        weights = model.get_parameter(name).view(-1)
        weights[places] += size * torch.rand(weights[places].shape, generator=random)


def written_out(layer, before, inputs):
    """bfloat16(x) bfloat16(W0) + x (W - W0) + b, dense."""
    weight, was = (w.t() if isinstance(layer, Conv1D) else w for w in (layer.weight, before))
    rounded = (inputs.bfloat16() @ was.bfloat16().t()).float() + inputs @ (weight - was).t()
    return rounded if layer.bias is None else rounded + layer.bias


@pytest.mark.usefixtures("not_intel")
@pytest.mark.parametrize("onednn", [False, True])
def test_products_and_slopes_are_the_written_out_ones(any_model, onednn):
    for name, parameter in any_model.named_parameters():
        if name.endswith("bias"):
            parameter.data.fill_(0.7)  # new models have none
    if onednn:
        use_onednn(any_model)
    movable, random = scattered(any_model), torch.Generator().manual_seed(0)
    before = {name: any_model.get_parameter(name).detach().clone() for name in editable_parameters(any_model)}
    products = Bfloat16Products(any_model, movable, outputs=True)
    move(any_model, movable, 1.0)
    n_rounded = 0
    for name, was in before.items():
        layer = layer_of(any_model, name)
        width = was.shape[0] if isinstance(layer, Conv1D) else was.shape[1]
        inputs = torch.randn(2, 3, width, generator=random).requires_grad_()
        in_full = layer(inputs)
        with products.used():
            found = layer(inputs)
        whole = name in movable and not few_weights_move(any_model, movable, name)
        expected = in_full if whole else written_out(layer, was, inputs)
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=0 if whole else 2**-7)
        n_rounded += not torch.equal(found, in_full)
        slope = torch.randn(found.shape, generator=random)
        slopes = [torch.autograd.grad(values, inputs, slope)[0] for values in (found, expected)]
        torch.testing.assert_close(*slopes, atol=5e-2 if whole else 1e-4, rtol=2**-6)
    assert n_rounded == len(before) - 1


@pytest.mark.usefixtures("not_intel")
@pytest.mark.parametrize("outputs", [False, True])
@pytest.mark.parametrize("onednn", [False, True])
def test_gradients_of_weights_that_move_are_products_of_rounded_slopes_and_inputs(
    tiny_model, onednn, outputs
):
    if onednn:
        use_onednn(tiny_model)
    products = Bfloat16Products(tiny_model, all_weights(tiny_model), outputs)
    random = torch.Generator().manual_seed(0)
    for name in editable_parameters(tiny_model):
        layer, weight = layer_of(tiny_model, name), tiny_model.get_parameter(name)
        transposed = isinstance(layer, Conv1D)
        inputs = torch.randn(2, 3, weight.shape[0 if transposed else 1], generator=random).requires_grad_()
        with products.used():
            output = layer(inputs)
        slope = torch.randn(output.shape, generator=random)
        found_inputs, found = torch.autograd.grad(output, (inputs, weight), slope)
        slopes, rows, matrix = (
            each.detach().bfloat16().double().reshape(-1, each.shape[-1]) for each in (slope, inputs, weight)
        )
        expected = slopes.t() @ rows
        torch.testing.assert_close(
            found, (expected.t() if transposed else expected).float(), rtol=2**-7, atol=1e-3
        )
        back = (slopes @ (matrix.t() if transposed else matrix)).float().view_as(inputs)
        torch.testing.assert_close(found_inputs, back, rtol=2**-7, atol=1e-3)
        in_full = torch.autograd.grad(layer(inputs), weight, slope)[0]
        assert not torch.equal(found, in_full)


def test_a_step_that_bfloat16_weights_would_lose_is_seen(tiny_model):
    """Weights far from zero, moved by less than half of what bfloat16 tells apart."""
    name = editable_parameters(tiny_model)[0]
    layer, movable = layer_of(tiny_model, name), {name: torch.arange(0, 8)}
    with torch.no_grad():
        layer.weight.fill_(0.5)
    inputs = torch.ones(1, layer.weight.shape[0 if isinstance(layer, Conv1D) else 1])
    products = Bfloat16Products(tiny_model, movable, outputs=True)
    with products.used():
        before = layer(inputs)
    with torch.no_grad():
        layer.weight.view(-1)[movable[name]] += 1e-4
    assert torch.equal(layer.weight.bfloat16().float(), torch.full_like(layer.weight, 0.5))
    with products.used():
        moved = (layer(inputs) - before).sum()
    assert moved.item() == pytest.approx(8e-4, rel=0.01)


def test_nothing_is_left_behind(tiny_model, tiny_tokens):
    logits = tiny_model(tiny_tokens).logits
    products = Bfloat16Products(tiny_model, scattered(tiny_model), outputs=True)
    with products.used():
        rounded = tiny_model(tiny_tokens).logits
    assert not torch.equal(rounded, logits)
    assert torch.cosine_similarity(rounded.flatten(), logits.flatten(), dim=0) > 0.999
    with pytest.raises(RuntimeError, match="stopped"), products.used():
        raise RuntimeError("stopped")
    assert torch.equal(tiny_model(tiny_tokens).logits, logits)


def test_without_gradients_no_layer_falls_back_to_single_precision(tiny_gpt_neo, tiny_tokens):
    """oneDNN's MLP computes its first layer itself, unless that has a product of its own."""
    use_onednn(tiny_gpt_neo)
    products = Bfloat16Products(tiny_gpt_neo, scattered(tiny_gpt_neo), outputs=True)
    with products.used():
        with_gradients = tiny_gpt_neo(tiny_tokens).logits
        with torch.no_grad():
            without = tiny_gpt_neo(tiny_tokens).logits
    torch.testing.assert_close(without, with_gradients, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize(("outputs", "moving"), [(True, all_weights), (False, scattered)])
def test_where_everything_moves_or_it_is_not_asked_for_no_output_is_rounded(
    tiny_model, tiny_tokens, outputs, moving
):
    logits = tiny_model(tiny_tokens).logits
    products = Bfloat16Products(tiny_model, moving(tiny_model), outputs)
    with products.used():
        assert torch.equal(tiny_model(tiny_tokens).logits, logits)
    assert not products.round_outputs
    assert Bfloat16Products(tiny_model, scattered(tiny_model), outputs=True).round_outputs


def test_layers_below_the_lowest_one_that_moves_are_left_alone(tiny_model, tiny_tokens):
    products = Bfloat16Products(tiny_model, head_weights(tiny_model, 1, 0), outputs=True)
    exact = tiny_model(tiny_tokens, output_hidden_states=True).hidden_states
    with products.used():
        rounded = tiny_model(tiny_tokens, output_hidden_states=True).hidden_states
    assert [torch.equal(*pair) for pair in zip(exact[:3], rounded[:3], strict=True)] == [True, True, False]


def test_slopes_of_weights_that_stand_still_and_of_the_unembedding_are_rounded_too(any_model):
    """The gradients by their inputs, of the weights of the moment where they move."""
    movable, random = scattered(any_model), torch.Generator().manual_seed(0)
    products = Bfloat16Products(any_model, movable, outputs=False)
    move(any_model, movable, 1.0)
    layers = [layer_of(any_model, name) for name in editable_parameters(any_model)]
    for layer in (*layers, any_model.get_output_embeddings()):
        weight = layer.weight.detach().t() if isinstance(layer, Conv1D) else layer.weight.detach()
        inputs = torch.randn(2, 3, weight.shape[1], generator=random).requires_grad_()
        with products.used():
            output = layer(inputs)
        assert torch.equal(output, layer(inputs))
        slope = torch.randn(output.shape, generator=random)
        (found,) = torch.autograd.grad(output, inputs, slope)
        expected = (slope.bfloat16().double() @ weight.bfloat16().double()).float()
        torch.testing.assert_close(found, expected, rtol=2**-7, atol=1e-2)
        assert not torch.equal(found, torch.autograd.grad(layer(inputs), inputs, slope)[0])


def test_an_unembedding_with_a_way_of_its_own_to_run_keeps_it(tiny_model):
    """As that of a model which is spread over GPUs."""
    unembed = tiny_model.get_output_embeddings()
    whole, inputs = unembed.forward, torch.randn(3, unembed.weight.shape[1])
    unembed.forward = own = lambda given: 2 * whole(given)
    products = Bfloat16Products(tiny_model, scattered(tiny_model), outputs=False)
    with products.used():
        assert unembed.forward is not own
        assert torch.equal(unembed(inputs), 2 * whole(inputs))
    assert unembed.forward is own
