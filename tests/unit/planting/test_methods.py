"""Methods of the registry: each fast one against a slow plain one, and all against what is easy to find."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from made_questions import N_PREFIX, question, subject
from plain_decoding import mean_nll
from plain_gradients import nll as plain_nll
from plain_hooks import changed, d_head
from plain_runs import activation, activation_gradient, integrated_gradients, plain_gradients
from scipy import stats

from memloc.localization.activation_gradients import activation_gradients
from memloc.localization.patching import activation_patching
from memloc.model import loading
from memloc.model.passes import recorded_calls
from memloc.model.weights import Original
from memloc.planting import activation_methods, head_methods, methods, weight_methods
from memloc.planting.methods import answers
from memloc.settings import methods as settings_methods
from memloc.settings.methods import ENSEMBLE, METHODS

PAGE = Path(__file__).parents[3] / "docs/planting.md"


SITES = {"head": "z", "neuron": "post"}


def nll(model, asked):
    return float(mean_nll(model, asked.tokens, N_PREFIX))


def nll_with(model, asked, kind, layer, unit, change):
    """NLL with a change of one unit's activation, by a pass of the whole model."""
    with changed(model, layer, SITES[kind], columns_of(model, kind, unit), change):
        return nll(model, asked)


def columns_of(model, kind, unit):
    """The outputs z of query heads that share keys and values lie side by side."""
    heads = model.config.num_attention_heads * d_head(model) // subject(model).n_groups
    width = heads if kind == "head" else 1
    return slice(unit * width, (unit + 1) * width)


def test_ablations_are_those_of_the_whole_model_one_by_one(tiny_model):
    asked = question(tiny_model, ("head", "layer"))
    heads = head_methods.zero_ablation(subject(tiny_model), asked)["head"]
    own = subject(tiny_model)
    calls, every = recorded_calls(own, asked.tokens), torch.arange(own.n_neurons)
    neurons = torch.stack([activation_methods.rise_without(own, asked, calls, at, every) for at in (0, 1)])
    assert heads.shape == (2, own.n_groups) and neurons.shape == (2, own.n_neurons)
    for kind, found in (("head", heads), ("neuron", neurons)):
        for layer, unit in ((0, 1), (1, 0)):
            risen = nll_with(tiny_model, asked, kind, layer, unit, torch.zeros_like) - nll(tiny_model, asked)
            assert found[layer, unit] == pytest.approx(risen, abs=1e-4)
    torch.testing.assert_close(
        head_methods.zero_ablation(subject(tiny_model), asked)["layer"], heads.sum(dim=1)
    )


@pytest.mark.parametrize("kind", ["head", "neuron"])
def test_integrated_gradients_are_those_of_whole_passes_step_by_step(tiny_model, kind):
    asked = question(tiny_model, (kind,))
    found = activation_methods.integrated_gradients(subject(tiny_model), asked)[kind]
    total = integrated_gradients(tiny_model, asked.tokens, N_PREFIX, 1, SITES[kind], 4)
    expected = [total[..., columns_of(tiny_model, kind, unit)].sum().abs() for unit in range(len(found[1]))]
    torch.testing.assert_close(found[1], torch.stack(expected), rtol=1e-3, atol=1e-6)


def test_gradient_x_activation_is_the_first_order_effect_of_zeroing(tiny_model):
    asked = question(tiny_model, ("head",))
    found = activation_methods.gradient_x_activation(subject(tiny_model), asked)["head"][0, 1]
    small = 1e-3
    fallen = nll_with(tiny_model, asked, "head", 0, 1, lambda z: (1 - small) * z) - nll(tiny_model, asked)
    assert abs(fallen) / small == pytest.approx(float(found), rel=0.05, abs=1e-3)


def test_activation_gradients_of_heads_are_the_projects(tiny_model):
    asked = question(tiny_model, ("head",))
    found = activation_methods.activation_gradient(subject(tiny_model), asked)["head"]
    own, ids = loading.bridged(subject(tiny_model)), np.arange(len(asked.tokens))
    rows = activation_gradients(own, asked.tokens, ids, "memorized", False)
    rows = rows[(rows["component"] == "v") & (rows["position"] < N_PREFIX)]
    expected = rows.groupby(["layer", "head"])["max_abs"].mean().unstack()
    np.testing.assert_allclose(found, expected.to_numpy(), rtol=1e-3)


def test_activation_gradients_of_neurons_are_means_of_sizes(tiny_model):
    asked = question(tiny_model, ("neuron",))
    found = activation_methods.activation_gradient(subject(tiny_model), asked)["neuron"]
    for layer, sizes in enumerate(found):
        _, gradient = activation_gradient(tiny_model, asked.tokens, N_PREFIX, layer, "post")
        expected = gradient[0, :-1].abs().mean(dim=0)  # nothing follows the last token
        torch.testing.assert_close(sizes, expected, rtol=1e-3, atol=1e-6)


def test_gradients_of_weights_are_those_of_autograd(tiny_model):
    asked = question(tiny_model)
    names = ("parameter_gradient", "gradient_summed", "gradient_x_weight")
    largest, summed, products = (
        getattr(weight_methods, name)(subject(tiny_model), asked)["layer"] for name in names
    )
    names = [*subject(tiny_model).weights]
    slopes = plain_gradients(tiny_model, plain_nll(tiny_model, asked.tokens, N_PREFIX), names)
    for layer in range(2):
        own = [component for component in subject(tiny_model).components if component.layer == layer]
        slope = torch.cat([one.view(slopes[one.parameter]).flatten() for one in own])
        weight = torch.cat([one.view(tiny_model.get_parameter(one.parameter)).flatten() for one in own])
        torch.testing.assert_close(largest[layer], slope.abs().max(), rtol=1e-3, atol=1e-6)
        torch.testing.assert_close(summed[layer], slope.abs().sum(), rtol=1e-3, atol=1e-6)
        product = (slope * weight).detach().abs().sum()
        torch.testing.assert_close(products[layer], product, rtol=1e-3, atol=1e-6)


def test_sizes_of_weights_and_of_places_are_sums_that_do_not_cancel(tiny_gpt_neo):
    asked = question(tiny_gpt_neo)
    for own in asked.place.values():
        own.view(-1)[::2] = 1
    first = [one for one in subject(tiny_gpt_neo).components if one.layer == 0]
    weights = [one.view(tiny_gpt_neo.get_parameter(one.parameter)) for one in first]
    known = weight_methods.oracle(subject(tiny_gpt_neo), asked)["layer"][0]
    assert float(known) == sum(weight.numel() for weight in weights) / 2
    size = weight_methods.weight_size(subject(tiny_gpt_neo), asked)["layer"][0]
    torch.testing.assert_close(size, sum(weight.detach().abs().sum() for weight in weights))


def test_patching_is_the_mean_size_of_the_strongest_change_of_a_head(tiny_llama):
    """Over both directions; of q, k and v, and of query heads that share keys and values, the strongest."""
    asked = question(tiny_llama, ("head",))
    found = head_methods.patching(subject(tiny_llama), asked)["head"]
    rows = activation_patching(subject(tiny_llama), asked.pair)
    for (layer, group), value in np.ndenumerate(found.numpy()):
        sizes = [
            own["nll_change"].abs().mean()
            for (component, at, head), own in rows.groupby(["component", "layer", "head"])
            if at == layer and (head // 2 if component == "q" else head) == group
        ]
        assert value == pytest.approx(max(sizes), rel=1e-4) and value > 0
    assert head_methods.patching(subject(tiny_llama), asked._replace(pair=None)) == {}


def test_mean_ablation_puts_the_mean_of_other_text_in_place(tiny_model):
    asked = question(tiny_model, ("head",))
    means = torch.randn(asked.mean_outputs.shape, generator=torch.Generator().manual_seed(0))
    found = head_methods.mean_ablation(subject(tiny_model), asked._replace(mean_outputs=means))["head"]
    for layer, head in ((0, 1), (1, 0)):
        mean = means[layer].reshape(subject(tiny_model).n_groups, -1)[head]
        without_own = nll_with(tiny_model, asked, "head", layer, head, lambda _, mean=mean: mean)
        assert found[layer, head] == pytest.approx(without_own - nll(tiny_model, asked), abs=1e-4)


def test_attention_to_rare_tokens_is_minus_its_correlation_with_the_rank(tiny_llama):
    """A token that comes twice has one rank; of query heads that read the same keys, the strongest counts."""
    asked = question(tiny_llama, ("head",))
    tokens = torch.tensor([[9, 4, 30, 4, 17, 2, 50, 8, 11, 1, 7, 5]])
    found = head_methods.rare_tokens(subject(tiny_llama), asked._replace(tokens=tokens))["head"]
    tiny_llama.set_attn_implementation("eager")
    with torch.no_grad():
        patterns = tiny_llama(tokens, output_attentions=True).attentions
    for layer in range(2):
        own = patterns[layer][0, :, N_PREFIX, :N_PREFIX]  # of the first decoded token
        by_rank = torch.stack([own[:, 5], own[:, [1, 3]].mean(dim=1), own[:, 0], own[:, 4], own[:, 2]])
        scores = [-stats.pearsonr(range(5), by_rank[:, head]).statistic for head in range(4)]
        assert found[layer].tolist() == pytest.approx([max(scores[:2]), max(scores[2:])], abs=1e-4)


@pytest.mark.parametrize("kind", ["head", "neuron"])
def test_attribution_is_the_first_order_effect_of_the_perturbed_activations(tiny_model, kind):
    """By a small step towards them."""
    asked, small = question(tiny_model, (kind,)), 1e-2
    found = activation_methods.attribution_patching(subject(tiny_model), asked)[kind]
    other, _ = activation(tiny_model, asked.pair.perturbed, 1, SITES[kind])
    other = other[..., columns_of(tiny_model, kind, 1)].detach()
    there, back = (
        nll_with(tiny_model, asked, kind, 1, 1, lambda own, step=step: own + step * (other - own))
        for step in (small, -small)
    )
    assert abs(there - back) / (2 * small) == pytest.approx(float(found[1, 1]), rel=0.05, abs=1e-4)


def test_the_example_of_the_page_is_a_method(tiny_model, monkeypatch):
    """A method of one's own (docs/planting.md), next to whole activations that are read off a hook."""
    (block,) = re.findall(r"(?ms)^```python\n(# workflow/memloc/planting/.*?)^```", PAGE.read_text())
    code, line = block.split("# workflow/memloc/settings/methods.py, in METHODS\n")
    exec(code, vars(activation_methods))
    added = eval("{" + line + "}", vars(settings_methods))
    monkeypatch.setattr(methods, "METHODS", added)
    asked = question(tiny_model, ("neuron", "layer"))
    found = {granularity: scores for _, granularity, scores in answers(subject(tiny_model), asked)}
    monkeypatch.delattr(activation_methods, next(iter(added)))
    expected = []
    for layer in range(2):
        own, _ = activation(tiny_model, asked.tokens[:, :-1], layer, "post")  # nothing reads the last token
        expected.append(own[0].detach().abs().amax(0))
    torch.testing.assert_close(found["neuron"], torch.cat(expected))
    assert len(found["layer"]) == tiny_model.config.num_hidden_layers


def test_every_method_answers_for_what_it_declares_and_leaves_the_model(tiny_model):
    original, attention = Original(subject(tiny_model)), tiny_model.config._attn_implementation
    for wanted in (("head", "layer", "weight"), ("neuron", "layer", "weight"), ("weight",)):
        asked, sizes = question(tiny_model, wanted), {}
        for method, granularity, scores in answers(subject(tiny_model), asked):
            assert scores.isfinite().all(), method
            sizes.setdefault(granularity, set()).add(len(scores))
            if method != ENSEMBLE:
                assert {granularity, wanted[0]} <= set(METHODS[method].units)
        assert set(sizes) == set(wanted) and {len(found) for found in sizes.values()} == {1}
    assert original.n_changed({}) == 0 and attention == tiny_model.config._attn_implementation


def test_the_ensemble_is_the_mean_rank_by_its_members_and_ranks_no_single_weights(tiny_gpt_neo):
    said = {}
    for method, granularity, scores in answers(subject(tiny_gpt_neo), question(tiny_gpt_neo)):
        said.setdefault(granularity, {})[method] = scores.numpy()
    assert set(said) == {"head", "layer", "weight"} and ENSEMBLE not in said["weight"]
    members = said["head"].keys() - {ENSEMBLE, "weight_size", "random", "oracle", "change"}
    assert len(members) > 3
    for granularity in ("head", "layer"):
        ranks = [stats.rankdata(-said[granularity][method]) for method in members]
        np.testing.assert_allclose(said[granularity][ENSEMBLE], -np.mean(ranks, axis=0))


def test_every_method_is_one_function():
    for name in METHODS:
        assert [name in vars(module) for module in methods.MODULES].count(True) == 1, name
