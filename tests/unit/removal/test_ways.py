"""Each way to remove against a slow plain version on a tiny model."""

import copy

import numpy as np
import pytest
import torch
from transformers import NoBadWordsLogitsProcessor
from transformers.pytorch_utils import Conv1D

from memloc.localization.ablation import mean_outputs
from memloc.localization.weights import OriginalWeights
from memloc.model.components import components, editable_parameters, layers_of
from memloc.removal.registry import WAYS, Edit, in_force
from memloc.removal.request import Request
from memloc.removal.ways.blocklist import NgramBlocklist
from memloc.removal.ways.kfac import as_linear, curvature
from memloc.scoring.paragraph_scores import teacher_forced
from memloc.settings.removal_ways import WAY_NAMES
from memloc.settings.remove import Remove
from memloc.straightforward import editing as plain_editing
from memloc.straightforward.gradients import nll
from memloc.straightforward.hooks import columns, edited
from tiny_models import VOCABULARY

N_PREFIX = 12
HEADS = [(0, 1), (1, 2), (0, 0), (0, 2), (0, 3), (1, 0), (1, 1), (1, 3)]


def other_text(n, length=24, seed=5):
    return torch.randint(VOCABULARY, (n, length), generator=torch.Generator().manual_seed(seed))


def request(model, tokens, seed=0, **how):
    asked = Remove(**{"micro_batch": 4, "n_keep": 3} | how)
    random = np.random.default_rng(seed)
    return Request(model, tokens, other_text(3), other_text(4, seed=6), N_PREFIX, HEADS, asked, random)


def changed_by(name, asked, setting):
    """Weights after an edit; the model has its own ones back."""
    original = OriginalWeights(asked.model)
    with in_force(asked.model, WAYS[name], WAYS[name].prepare(asked), setting, original):
        return copy.deepcopy(asked.model.state_dict())


def mlp_matrices(model):
    parts = ("W_in", "W_gate", "W_out")
    return list(dict.fromkeys(part.parameter for part in components(model) if part.name in parts))


def assert_same_weights(found, model, **close):
    for name, weight in model.state_dict().items():
        torch.testing.assert_close(found[name], weight, **close)


def test_every_name_is_a_way():
    assert tuple(WAYS) == WAY_NAMES


def test_top_is_masked_dense_adam(memorizing_model, memorized_tokens):
    how = {"unlearning": {"steps": 3, "fraction": 0.02}}
    tokens = memorized_tokens[:4]
    found = changed_by("top", request(memorizing_model, tokens, **how), (1e-2,))
    slow = copy.deepcopy(memorizing_model)
    keep = other_text(3)
    # Straightforward code takes the KL divergence as a mean over paragraphs, as the fast one does.
    plain_editing.unlearn(slow, tokens, keep, N_PREFIX, 0.02, 1e-2, 3)
    assert_same_weights(found, slow, atol=1e-4, rtol=1e-3)


def test_gradient_ascent_is_adam_up_the_loss_of_all_weights(memorizing_model, memorized_tokens):
    tokens = memorized_tokens[:4]
    found = changed_by("gradient_ascent", request(memorizing_model, tokens, unlearning={"steps": 3}), (1e-2,))
    slow = copy.deepcopy(memorizing_model)
    adam = torch.optim.Adam([slow.get_parameter(name) for name in editable_parameters(slow)], lr=1e-2)
    for _ in range(3):
        adam.zero_grad()
        (-nll(slow, tokens, N_PREFIX)).backward()
        adam.step()
    assert_same_weights(found, slow, atol=1e-3, rtol=1e-3)  # Adam divides tiny gradients by their size


def test_balanced_subnet_is_autograd_through_the_mask(tiny_model):
    tokens, share, rate, steps = other_text(2, seed=8), 0.05, 0.1, 3
    how = {"balanced_subnet": {"steps": steps, "learning_rate": rate}}
    asked = request(tiny_model, tokens, **how)
    found = changed_by("balanced_subnet", asked, (share,))
    random, names = np.random.default_rng(0), mlp_matrices(tiny_model)
    weights = {name: tiny_model.get_parameter(name).detach() for name in names}
    scores = {
        name: torch.from_numpy(random.standard_normal(weight.shape, dtype="float32")) * 1e-3
        for name, weight in weights.items()
    }
    adam = torch.optim.Adam(scores.values(), lr=rate)

    def masks():
        ordered = sorted(float(value) for values in scores.values() for value in values.flatten())
        limit = ordered[max(1, round(share * len(ordered))) - 1]
        return {name: (values > limit).float() for name, values in scores.items()}

    def loss(masked, texts):
        labels = texts.clone()
        labels[:, :N_PREFIX] = -100
        given = {name: weights[name] * mask for name, mask in masked.items()}
        return torch.func.functional_call(tiny_model, given, (texts,), {"labels": labels}).loss

    for _ in range(steps):
        masked = {name: mask.requires_grad_() for name, mask in masks().items()}
        gradients = torch.autograd.grad(
            loss(masked, asked.keep) - loss(masked, tokens), list(masked.values())
        )
        for values, gradient in zip(scores.values(), gradients, strict=True):
            values.grad = gradient
        adam.step()
    for name, mask in masks().items():
        torch.testing.assert_close(found[name], weights[name] * mask)
    n_zeroed = sum(int((found[name] == 0).sum()) for name in names)
    assert n_zeroed == round(share * sum(weight.numel() for weight in weights.values()))


def without_neuron(model, tokens, layer, neuron):
    """Rise of the paragraph's NLL when one neuron's activation is zeroed, by a pass of the whole model."""

    def zero(activation):
        activation = activation.clone()
        activation[..., neuron] = 0
        return activation

    with torch.no_grad():
        before = nll(model, tokens, N_PREFIX)
        with edited(model, layer, "post", zero):
            return float(nll(model, tokens, N_PREFIX) - before)


def test_zero_out_zeroes_the_neurons_whose_absence_costs_most(tiny_model):
    tokens, n_neurons = other_text(2, seed=8), tiny_model.config.hidden_size * 4
    width = next(part for part in components(tiny_model) if part.name == "W_out")
    weight = as_linear(tiny_model, width.module)
    n_neurons = weight.shape[1]
    rises = torch.tensor(
        [
            [
                sum(max(0.0, without_neuron(tiny_model, row[None], layer, neuron)) for row in tokens)
                for neuron in range(n_neurons)
            ]
            for layer in range(2)
        ]
    )
    share = 6 / (2 * n_neurons)
    asked = request(tiny_model, tokens, neurons={"n_candidates": 2 * n_neurons})
    slow = copy.deepcopy(tiny_model)
    for place in rises.flatten().topk(6).indices.tolist():
        layer, neuron = divmod(place, n_neurons)
        name = next(part.module for part in components(slow) if part.name == "W_out" and part.layer == layer)
        with torch.no_grad():
            as_linear(slow, name)[:, neuron] = 0
    assert_same_weights(changed_by("neurons_zero_out", asked, (share,)), slow)


@pytest.mark.parametrize("name", ["neurons_integrated_gradients", "neurons_hard_concrete"])
def test_neuron_ways_zero_whole_value_vectors_and_nothing_else(memorizing_model, memorized_tokens, name):
    found = changed_by(name, request(memorizing_model, memorized_tokens[:2]), (0.02,))
    zeroed = 0
    for key, weight in memorizing_model.state_dict().items():
        if not torch.equal(weight, found[key]):
            assert "mlp.c_proj.weight" in key
            differs = (weight != found[key]).any(dim=0)
            assert (found[key][:, differs] == 0).all()
            zeroed += int(differs.sum())
    assert zeroed == round(0.02 * 2 * 128)


def test_few_candidates_are_a_part_of_all(memorizing_model, memorized_tokens):
    asked = request(memorizing_model, memorized_tokens[:1], neurons={"n_candidates": 8})
    zeroed = changed_by("neurons_zero_out", asked, (0.02,))
    assert any((zeroed[name] == 0).any() for name in mlp_matrices(memorizing_model))


@pytest.mark.parametrize("n", [1, 2, 4])
def test_the_blocklist_is_that_of_transformers(n):
    tokens = other_text(5, seed=9) % 4  # n-grams come again and again
    own = NgramBlocklist(tokens, N_PREFIX, n)
    listed = {
        tuple(row[place - n + 1 : place + 1]) for row in tokens.tolist() for place in range(N_PREFIX, 24)
    }
    plain = NoBadWordsLogitsProcessor([list(ngram) for ngram in sorted(listed)], eos_token_id=VOCABULARY + 1)
    scores, contexts = torch.randn(7, VOCABULARY), other_text(7, seed=10) % 4
    torch.testing.assert_close(own(contexts, scores.clone()), plain(contexts, scores.clone()))


def test_what_a_blocklist_generates_holds_no_listed_ngram(memorizing_model, memorized_tokens):
    processor = NgramBlocklist(memorized_tokens, N_PREFIX, 3)
    generated = memorizing_model.generate(
        memorized_tokens[:, :N_PREFIX],
        attention_mask=torch.ones_like(memorized_tokens[:, :N_PREFIX]),
        max_new_tokens=12,
        do_sample=False,
        eos_token_id=-1,
        pad_token_id=-1,
        logits_processor=[processor],
    )
    listed = {tuple(row[k - 2 : k + 1]) for row in memorized_tokens.tolist() for k in range(N_PREFIX, 24)}
    said = {tuple(row[k - 2 : k + 1]) for row in generated.tolist() for k in range(N_PREFIX, 24)}
    assert not listed & said


def logits_under(name, asked, setting, tokens):
    original = OriginalWeights(asked.model)
    with in_force(asked.model, WAYS[name], WAYS[name].prepare(asked), setting, original), torch.no_grad():
        return asked.model(tokens).logits


def test_heads_write_their_mean_over_ordinary_text(tiny_model):
    asked, tokens = request(tiny_model, other_text(2, seed=8)), other_text(3, seed=11)
    means = mean_outputs(tiny_model, asked.general, 100)

    def replaced(layer, head):
        def edit(z):
            z = z.clone()
            z[..., columns(tiny_model, "z", head)] = means[layer, head]
            return z

        return edited(tiny_model, layer, "z", edit)

    with replaced(*HEADS[0]), replaced(*HEADS[1]), torch.no_grad():
        slow = tiny_model(tokens).logits
    torch.testing.assert_close(logits_under("heads", asked, (2.0,), tokens), slow, atol=1e-5, rtol=1e-5)
    control = [logits_under("random_heads", asked, (n,), tokens) for n in (2.0, 8.0)]
    assert (control[0] - slow).abs().max() > 1e-3
    every = logits_under("heads", asked, (8.0,), tokens)
    torch.testing.assert_close(control[1], every, atol=1e-5, rtol=1e-5)  # only their order is random


def test_steering_subtracts_the_difference_of_mean_hidden_states(tiny_model):
    remove, tokens = other_text(2, seed=8), other_text(3, seed=11)
    asked = request(tiny_model, remove)

    def mean(texts):
        with torch.no_grad():
            states = tiny_model(texts, output_hidden_states=True).hidden_states[1]  # what enters layer 1
        return torch.stack([row[place] for row in states for place in range(N_PREFIX - 1, 23)]).mean(dim=0)

    direction = mean(remove) - mean(asked.keep)

    def shift(module, inputs, output):
        states = output[0] if isinstance(output, tuple) else output
        moved = states - 3.0 * direction
        return (moved, *output[1:]) if isinstance(output, tuple) else moved

    handle = layers_of(tiny_model)[0].register_forward_hook(shift)
    with torch.no_grad():
        slow = tiny_model(tokens).logits
    handle.remove()
    found = logits_under("steering", asked, (0.5, 3.0), tokens)
    torch.testing.assert_close(found, slow, atol=1e-4, rtol=1e-4)


def test_the_random_direction_is_as_long_and_another_one(tiny_model):
    asked, tokens = request(tiny_model, other_text(2, seed=8)), other_text(3, seed=11)

    def moved(name):
        """How far what enters layer 1 is moved, at every position."""
        entering, last = [], []
        layer = layers_of(tiny_model)[1]
        handle = layer.register_forward_hook(lambda module, inputs, output: entering.append(inputs[0]))
        for setting in ((0.5, 2.0), (0.5, 0.0)):
            logits_under(name, asked, setting, tokens)
            last.append(entering[-1])  # the passes before are those that find the direction
        handle.remove()
        return (last[0] - last[1]).flatten(0, 1)

    target, control = moved("steering"), moved("random_direction")
    torch.testing.assert_close(control.norm(dim=1), target.norm(dim=1), atol=1e-4, rtol=1e-3)
    assert torch.nn.functional.cosine_similarity(control, target, dim=1).max() < 0.9


def test_svd_keeps_the_largest_components(tiny_model):
    found = changed_by("svd", request(tiny_model, other_text(1)), (0.25,))
    for name, weight in tiny_model.named_parameters():
        if name not in mlp_matrices(tiny_model):
            assert torch.equal(found[name], weight)
            continue
        matrix = weight.detach().double().numpy()
        left, sizes, right = np.linalg.svd(matrix, full_matrices=False)
        slow = sum(
            sizes[k] * np.outer(left[:, k], right[k]) for k in range(len(sizes) - round(0.25 * len(sizes)))
        )
        np.testing.assert_allclose(found[name], slow, atol=1e-5)


def test_factors_of_kfac_are_sums_over_single_tokens(tiny_model):
    asked = request(tiny_model, other_text(1))
    factors = curvature(asked)
    for name, own in factors.items():
        module, inputs, outputs = tiny_model.get_submodule(name), 0, 0
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
        torch.testing.assert_close(own.inputs, inputs / n, atol=1e-6, rtol=1e-3)
        torch.testing.assert_close(own.outputs, outputs / n, atol=1e-6, rtol=1e-3)


def test_kfac_drops_the_entries_with_the_smallest_product_of_eigenvalues(tiny_model):
    asked = request(tiny_model, other_text(1))
    found = changed_by("kfac", asked, (0.4,))
    for name, own in curvature(asked).items():
        weight = as_linear(tiny_model, name).double().numpy()
        (a, in_basis), (g, out_basis) = (np.linalg.eigh(moments.numpy()) for moments in own)
        entries = out_basis.T @ weight @ in_basis
        order = sorted(
            ((max(g[i], 0) * max(a[j], 0), i, j) for i in range(len(g)) for j in range(len(a))),
            key=lambda entry: entry[0],
        )
        for _, i, j in order[: round(0.4 * len(order))]:
            entries[i, j] = 0
        slow = torch.from_numpy(out_basis @ entries @ in_basis.T).float()
        module = tiny_model.get_submodule(name)
        weight = found[f"{name}.weight"].T if isinstance(module, Conv1D) else found[f"{name}.weight"]
        torch.testing.assert_close(weight, slow, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("name", WAY_NAMES)
def test_every_way_leaves_the_model_bit_for_bit(memorizing_model, memorized_tokens, name):
    asked = request(memorizing_model, memorized_tokens[:3], neurons={"n_candidates": 8})
    before, way = copy.deepcopy(memorizing_model.state_dict()), WAYS[name]
    original, prepared = OriginalWeights(memorizing_model), way.prepare(asked)
    for setting in way.tried(asked.how)[-2:]:
        with in_force(memorizing_model, way, prepared, setting, original) as state:
            differs = sum(
                int((weight != before[key]).sum()) for key, weight in memorizing_model.named_parameters()
            )
            assert state.n_changed == differs and (differs > 0) == isinstance(way, Edit)
            em = teacher_forced(memorizing_model, memorized_tokens, N_PREFIX, 12).em
            assert len(em) == 12
        assert all(torch.equal(memorizing_model.state_dict()[key], own) for key, own in before.items())
        assert not any(module._forward_hooks for module in memorizing_model.modules())
        assert not any(module._forward_pre_hooks for module in memorizing_model.modules())
    assert all(parameter.grad is None for parameter in memorizing_model.parameters())
