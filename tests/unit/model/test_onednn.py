"""oneDNN computes what torch's own linear layers compute, up to rounding, and their gradients."""

import copy

import pytest
import torch
from torch import nn
from transformers.pytorch_utils import Conv1D

from memloc.model import onednn
from memloc.model.onednn import OneDnnConv1D, OneDnnLinear, native_bfloat16, pack, use_onednn
from memloc.model.pretrained import fuse_gelu
from tiny_models import TINY

pytestmark = [
    pytest.mark.skipif(not onednn.available(), reason="this build of torch has no oneDNN"),
    pytest.mark.usefixtures("not_intel"),
]


@pytest.fixture
def products(monkeypatch):
    """How many products oneDNN has computed."""
    counted, product = [], onednn.product

    def count(*arguments):
        counted.append(None)
        return product(*arguments)

    monkeypatch.setattr(onednn, "product", count)
    return counted


def layers(kind, dtype=torch.float32):
    """A layer with random weights, and the same one by oneDNN."""
    torch.manual_seed(0)
    n_out, n_in = 70, 300
    plain = nn.Linear(n_in, n_out) if kind is OneDnnLinear else Conv1D(n_out, n_in)
    holder = nn.Sequential(copy.deepcopy(plain))
    use_onednn(holder)
    assert type(holder[0]) is kind
    return plain.to(dtype), holder[0].to(dtype)


@pytest.mark.parametrize("kind", [OneDnnLinear, OneDnnConv1D])
@pytest.mark.parametrize("shape", [(1,), (17,), (3, 5)])
def test_outputs_and_gradients_of_a_layer(kind, shape, products):
    plain, fast = layers(kind)
    inputs, slopes = torch.randn(*shape, 300), torch.randn(*shape, 70)
    found = []
    for layer in (plain, fast):
        leaf = inputs.clone().requires_grad_()
        output = layer(leaf)
        output.backward(slopes)
        found.append((output, leaf.grad, layer.weight.grad, layer.bias.grad))
    for slow, quick in zip(*found, strict=True):
        torch.testing.assert_close(quick, slow, rtol=1e-4, atol=1e-4 * slow.abs().max().item())
    assert len(products) == 3


@pytest.mark.parametrize("kind", [OneDnnLinear, OneDnnConv1D])
def test_only_gradients_that_are_wanted_are_computed(kind, products):
    _, fast = layers(kind)
    fast.requires_grad_(False)
    leaf = torch.randn(4, 300, requires_grad=True)
    fast(leaf).sum().backward()
    assert len(products) == 2 and fast.weight.grad is None


@pytest.mark.parametrize("kind", [OneDnnLinear, OneDnnConv1D])
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_types_are_left_to_torch(kind, dtype, products):
    plain, fast = layers(kind, dtype)
    inputs = torch.randn(4, 300).to(dtype)
    assert torch.equal(plain(inputs), fast(inputs)) and not products


@pytest.mark.parametrize("kind", [OneDnnLinear, OneDnnConv1D])
def test_automatic_casts_and_no_rows_are_left_to_torch(kind, products):
    plain, fast = layers(kind)
    assert fast(torch.empty(0, 300)).shape == (0, 70)
    with torch.autocast("cpu", torch.bfloat16):
        inputs = torch.randn(4, 300)
        assert torch.equal(plain(inputs), fast(inputs))
    assert not products


def test_a_model_has_the_same_loss_gradients_and_packed_logits(tiny_model, products):
    fuse_gelu(tiny_model)
    plain, fast, tokens = tiny_model, copy.deepcopy(tiny_model), torch.randint(64, (3, 20))
    use_onednn(fast)
    losses = [model(tokens, labels=tokens).loss for model in (plain, fast)]
    for loss in losses:
        loss.backward()
    torch.testing.assert_close(*losses, rtol=1e-5, atol=0)
    for (name, slow), quick in zip(plain.named_parameters(), fast.parameters(), strict=True):
        bound = 1e-4 * slow.grad.abs().max().item()
        torch.testing.assert_close(quick.grad, slow.grad, rtol=1e-4, atol=bound, msg=name)
    if plain.config.tie_word_embeddings:
        assert fast.get_output_embeddings().weight is fast.get_input_embeddings().weight
    n_products = len(products)
    pack(fast)
    with torch.no_grad():
        torch.testing.assert_close(fast(tokens).logits, plain(tokens).logits, rtol=1e-5, atol=1e-5)
    assert 0 < n_products < len(products)
    layers = [module for module in fast.modules() if isinstance(module, (OneDnnLinear, OneDnnConv1D))]
    assert layers and all(layer.packed is not None for layer in layers)


@pytest.fixture(params=[OneDnnLinear, OneDnnConv1D])
def packed(request):
    """A layer with random weights, the same one with packed weights, and the model that holds it."""
    plain, fast = layers(request.param)
    model = Model(fast)
    pack(model)
    return plain, fast, model


class Model(nn.Sequential):
    """What `pack` asks of a model."""

    @property
    def device(self):
        return self[0].weight.device

    @property
    def dtype(self):
        return self[0].weight.dtype


@pytest.mark.parametrize("n_rows", [1, 500])
@torch.no_grad()
def test_packed_weights_give_the_same_outputs(packed, n_rows, products):
    plain, fast, _ = packed
    inputs = torch.randn(n_rows, 300)
    assert fast.weights_for(inputs) is fast.packed is not None
    torch.testing.assert_close(fast(inputs), plain(inputs), rtol=1e-4, atol=1e-4)
    assert len(products) == 1


def test_gradients_are_those_of_the_weights_themselves(packed):
    plain, fast, _ = packed
    inputs = torch.randn(5, 300)
    for layer in (plain, fast):
        layer(inputs).square().sum().backward()
    torch.testing.assert_close(fast.weight.grad, plain.weight.grad, rtol=1e-4, atol=1e-3)


@torch.no_grad()
def test_weights_that_are_changed_are_followed(packed):
    plain, fast, model = packed
    inputs = torch.randn(5, 300)
    for layer in (plain, fast):
        layer.weight[3:9] *= 2
    assert fast.weights_for(inputs) is not fast.packed
    torch.testing.assert_close(fast(inputs), plain(inputs), rtol=1e-4, atol=1e-4)
    pack(model)
    assert fast.weights_for(inputs) is fast.packed
    torch.testing.assert_close(fast(inputs), plain(inputs), rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_copies_are_not_packed(packed):
    plain, fast, model = packed
    copied = copy.deepcopy(model)[0]
    assert copied.packed is None and fast.packed is not None
    inputs = torch.randn(5, 300)
    torch.testing.assert_close(copied(inputs), plain(inputs), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("native", [False, True])
@torch.no_grad()
def test_bfloat16_is_packed_where_it_is_native(native, monkeypatch):
    if native and not native_bfloat16(torch.device("cpu")):
        pytest.skip("this processor has no bfloat16")
    monkeypatch.setattr(onednn, "native_bfloat16", lambda device: native)
    plain, fast = layers(OneDnnLinear, torch.bfloat16)
    pack(Model(fast))
    assert (fast.packed is not None) == native
    inputs = torch.randn(5, 300).bfloat16()
    torch.testing.assert_close(fast(inputs), plain(inputs), rtol=0.02, atol=0.02)


def test_large_models_are_not_packed(monkeypatch):
    n_bytes = 4 * (70 * 300 + 70)
    for most, expected in ((n_bytes - 1, False), (n_bytes, True)):
        monkeypatch.setattr(onednn, "MOST_PACKED", most)
        _, fast = layers(OneDnnLinear)
        pack(Model(fast))
        assert (fast.packed is not None) == expected


def test_where_mkl_is_fast_onednn_computes_packed_products_alone(packed, products, monkeypatch):
    plain, fast, _ = packed
    monkeypatch.setattr(onednn, "mkl_is_fast", lambda: True)
    inputs = torch.randn(5, 300)
    assert torch.equal(fast(inputs), plain(inputs)) and not products
    with torch.no_grad():
        torch.testing.assert_close(fast(inputs), plain(inputs), rtol=1e-4, atol=1e-4)
    assert len(products) == 1


def test_without_onednn_nothing_changes(monkeypatch):
    monkeypatch.setattr(onednn, "available", lambda: False)
    model = TINY["gpt_neo"]()
    kinds = [type(module) for module in model.modules()]
    use_onednn(model)
    assert [type(module) for module in model.modules()] == kinds
