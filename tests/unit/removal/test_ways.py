"""Each way that edits weights against a slow plain version on a tiny model (neurons: test_neuron_ways.py)."""

import copy
from functools import partial

import numpy as np
import pytest
import torch
from made_requests import HEADS, N_PREFIX, assert_same_weights, changed_by, mlp_matrices, other_text, request
from plain_gradients import nll
from plain_runs import plain_gradients
from plain_unlearning import arm_masks, matrices, objective, train
from transformers.pytorch_utils import Conv1D

from memloc.model.subject import Subject
from memloc.removal.registry import WAYS, in_words, tried
from memloc.removal.ways.untargeted import curvature
from memloc.settings.removal_ways import ARM_WAYS, WAY_NAMES
from memloc.settings.remove import Remove


def test_what_is_tried_is_what_the_settings_of_a_way_say():
    how = Remove(
        unlearning=[2e-3],
        balanced_subnet=[0.03],
        neurons=[0.04, 0.005],
        svd=[0.06],
        kfac=[0.07],
        ngram_blocklist=[4],
        heads=[3, 1],
        steering=[(0.5, 2), (0.75, 4)],
    )
    moved = ["depth 0.5, times 2", "depth 0.75, times 4"]
    expected = dict.fromkeys((*ARM_WAYS, "gradient_ascent"), ["learning rate 0.002"])
    expected |= {"balanced_subnet": ["share of MLP weights 0.03"], "svd": ["share of components 0.06"]}
    neurons = [name for name in WAY_NAMES if name.startswith("neurons")]
    expected |= dict.fromkeys(neurons, ["share of neurons 0.04", "share of neurons 0.005"])
    expected |= {"kfac": ["share of entries 0.07"], "ngram_blocklist": ["tokens 4"]}
    expected |= dict.fromkeys(("heads", "random_heads"), ["number of heads 3", "number of heads 1"])
    expected |= dict.fromkeys(("steering", "random_direction"), moved) | {"retrained": [""]}
    assert {
        name: [in_words(way, setting) for setting in tried(way, how)] for name, way in WAYS.items()
    } == expected


@pytest.mark.parametrize("name", ["balanced_subnet", "neurons_integrated_gradients", "svd"])
def test_the_smallest_share_drops_one(memorizing_model, name):
    """A weight of all, a neuron of all (a column of W_out) or a component of each matrix."""
    asked = request(memorizing_model, other_text(2), steps=1)
    found, matrices = changed_by(name, asked, (1e-9,)), mlp_matrices(memorizing_model)
    if name == "svd":
        ranks = [int(torch.linalg.matrix_rank(found[matrix], rtol=1e-5)) for matrix in matrices]
        assert ranks == [31] * 4
    else:
        n_zeros = sum(int((found[matrix] == 0).sum()) for matrix in matrices)
        assert n_zeros == (1 if name == "balanced_subnet" else 32)


def test_a_retrained_model_takes_the_place_of_the_model(tiny_model):
    other = copy.deepcopy(tiny_model)
    torch.nn.init.ones_(other.get_input_embeddings().weight)
    asked = request(tiny_model, other_text(2))._replace(retrained=dict(other.named_parameters()))
    assert_same_weights(changed_by("retrained", asked, ()), other, atol=0, rtol=0)


@pytest.mark.parametrize("arm", ARM_WAYS)
def test_arms_are_masks_of_dense_adam(tiny_model, arm, monkeypatch):
    """Divergences weigh much, so that the few steps away from θ0, where they vanish, show them."""
    tokens, rate, steps, fraction = other_text(2, seed=8), 1e-3, 3, 0.02
    prepare = partial(WAYS[arm].prepare, kl_weight=20.0)
    monkeypatch.setitem(WAYS, arm, WAYS[arm]._replace(prepare=prepare))
    asked = request(tiny_model, tokens, steps=steps, fraction=fraction)
    found = changed_by(arm, asked, (rate,))
    slow, random = copy.deepcopy(tiny_model), np.random.default_rng(0)
    first = plain_gradients(slow, nll(slow, tokens, N_PREFIX), list(matrices(slow)))
    masks = arm_masks(slow, arm, fraction, HEADS[0], first, random)
    train(slow, objective(tokens, asked.keep, N_PREFIX, kl_weight=20.0), lambda _: masks, rate, steps)
    assert_same_weights(found, slow, atol=5e-6, rtol=0)


def test_gradient_ascent_is_adam_up_the_loss_of_all_weights(memorizing_model):
    tokens = other_text(4, seed=8)
    found = changed_by("gradient_ascent", request(memorizing_model, tokens, steps=3), (1e-2,))
    slow = copy.deepcopy(memorizing_model)
    every = dict.fromkeys(Subject(slow, 1).weights, 1)
    train(slow, lambda model, _: -nll(model, tokens, N_PREFIX), lambda _: every, 1e-2, 3)
    assert_same_weights(found, slow, atol=1e-3, rtol=1e-3)  # Adam divides tiny gradients by their size


def test_balanced_subnet_is_autograd_through_the_mask(tiny_model):
    tokens, share, rate, steps = other_text(2, seed=8), 0.05, 0.1, 4
    asked = request(tiny_model, tokens, steps=steps // 2)
    found = changed_by("balanced_subnet", asked, (share,))
    random, names = np.random.default_rng(0), mlp_matrices(tiny_model)
    weights = {name: tiny_model.get_parameter(name).detach() for name in names}
    drawn = {name: random.standard_normal(own.shape, dtype="float32") for name, own in weights.items()}
    scores = {name: torch.from_numpy(values) * 1e-3 for name, values in drawn.items()}
    adam = torch.optim.Adam(scores.values(), lr=rate)

    def limit():
        ordered = sorted(float(value) for values in scores.values() for value in values.flatten())
        return ordered[max(1, round(share * len(ordered))) - 1]

    def masks():
        highest = limit()
        return {name: (values > highest).float() for name, values in scores.items()}

    def loss(masked, texts):
        labels = texts.clone()
        labels[:, :N_PREFIX] = -100
        given = {name: weights[name] * mask for name, mask in masked.items()}
        return torch.func.functional_call(tiny_model, given, (texts,), {"labels": labels}).loss

    for _ in range(steps):
        masked = {name: mask.requires_grad_() for name, mask in masks().items()}
        rise = loss(masked, asked.keep) - loss(masked, tokens)
        gradients = torch.autograd.grad(rise, list(masked.values()))
        for values, gradient in zip(scores.values(), gradients, strict=True):
            values.grad = gradient
        adam.step()
    for name, mask in masks().items():
        clear = (scores[name] - limit()).abs() > 1e-4  # rounding, in steps of 0.1, may exchange others
        torch.testing.assert_close(found[name][clear], (weights[name] * mask)[clear])
        assert clear.float().mean() > 0.98
    n_zeroed = sum(int((found[name] == 0).sum()) for name in names)
    assert n_zeroed == round(share * sum(weight.numel() for weight in weights.values()))


def test_svd_keeps_the_largest_components(tiny_model):
    found = changed_by("svd", request(tiny_model, other_text(1)), (0.24,))
    for name, weight in tiny_model.named_parameters():
        if name not in mlp_matrices(tiny_model):
            assert torch.equal(found[name], weight)
            continue
        matrix = weight.detach().double().numpy()
        left, sizes, right = np.linalg.svd(matrix, full_matrices=False)
        n = len(sizes) - round(0.24 * len(sizes))
        slow = (left[:, :n] * sizes[:n]) @ right[:n]
        np.testing.assert_allclose(found[name], slow, atol=1e-5)


def test_factors_of_kfac_are_sums_over_single_tokens(tiny_model):
    asked = request(tiny_model, other_text(1))
    factors = curvature(asked)
    for name, own in factors.items():
        module, inputs, outputs = tiny_model.get_submodule(name.removesuffix(".weight")), 0, 0
        for text in asked.general:
            kept = []
            handle = module.register_forward_hook(lambda m, i, o, kept=kept: kept.extend([i[0], o]))
            logits = tiny_model(text[None]).logits[0]
            handle.remove()
            loss = sum(-logits[place].log_softmax(-1)[text[place + 1]] for place in range(len(text) - 1))
            (slope,) = torch.autograd.grad(loss, kept[1])
            for place in range(len(text) - 1):
                x, g = (own[0, place].detach().double() for own in (kept[0], slope))
                inputs, outputs = inputs + torch.outer(x, x), outputs + torch.outer(g, g)
        n = asked.general[:, 1:].numel()
        torch.testing.assert_close(own[0], inputs / n, atol=1e-6, rtol=1e-3)
        torch.testing.assert_close(own[1], outputs / n, atol=1e-6, rtol=1e-3)


def test_kfac_drops_the_entries_with_the_smallest_product_of_eigenvalues(tiny_model):
    asked = request(tiny_model, other_text(1))
    found = changed_by("kfac", asked, (0.4,))
    for name, own in curvature(asked).items():
        module = tiny_model.get_submodule(name.removesuffix(".weight"))
        conv = isinstance(module, Conv1D)
        weight = (module.weight.T if conv else module.weight).detach().double().numpy()
        (a, in_basis), (g, out_basis) = (np.linalg.eigh(moments.numpy()) for moments in own)
        entries = out_basis.T @ weight @ in_basis
        products = [(max(g[i], 0) * max(a[j], 0), i, j) for i in range(len(g)) for j in range(len(a))]
        order = sorted(products, key=lambda entry: entry[0])
        for _, i, j in order[: round(0.4 * len(order))]:
            entries[i, j] = 0
        slow = torch.from_numpy(out_basis @ entries @ in_basis.T).float()
        weight = found[name].T if conv else found[name]
        torch.testing.assert_close(weight, slow, atol=1e-4, rtol=1e-3)
