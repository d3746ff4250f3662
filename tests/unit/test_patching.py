"""Patching against full forward passes of the plain model, one site at a time, through plain torch hooks."""

import copy

import numpy as np
import pytest
import torch

from memloc.models import boot_bridge
from memloc.patching import Pairs, activation_patching, attribution_patching, residual_patching
from memloc.plain.hooks import PLACES, n_heads
from memloc.plain.patching import SitePatching, impact_nll


@pytest.fixture
def pairs(tiny_tokens):
    """Three paragraphs with one perturbed token each (also the first one), which go on differently."""
    memorized = tiny_tokens[:3]
    position, impact = torch.tensor([4, 0, 5]), torch.tensor([6, 9, 7])
    perturbed = memorized.clone()
    row = torch.arange(3)
    perturbed[row, position] = (memorized[row, position] + 17) % 64
    for number, start in enumerate(impact):
        perturbed[number, start:] = (memorized[number, start:] + 29) % 64
    return Pairs(np.array([31, 8, 12]), memorized, perturbed, position, impact)


def cases(pairs):
    """(id, direction, clean, source, perturbed position, impact position), written out."""
    for number, name in enumerate(pairs.ids):
        memorized, perturbed = pairs.memorized[number], pairs.perturbed[number]
        at = int(pairs.perturbed_position[number]), int(pairs.impact_position[number])
        yield name, "memorized_into_perturbed", perturbed[None], memorized[None], *at
        yield name, "perturbed_into_memorized", memorized[None], perturbed[None], *at


def plain_change(model, case, *site, fraction=1.0):
    """NLL change when one head is moved by a fraction of the way to the source run's activation."""
    return SitePatching(model, *case[2:], [site]).nll_changes(fraction)[0]


def test_activation_patching_equals_one_full_pass_per_site(tiny_model, pairs):
    plain = copy.deepcopy(tiny_model)
    frame = activation_patching(boot_bridge(tiny_model), pairs, micro_batch=5)
    sites = [
        (layer, name, head) for layer in range(2) for name in "qkv" for head in range(n_heads(plain, name))
    ]
    assert len(frame) == 3 * 2 * len(sites)
    found = frame.set_index(["id", "direction", "layer", "component", "head"]).nll_change
    for case in cases(pairs):
        for site in sites:
            expected = plain_change(plain, case, *site)
            assert found[*case[:2], *site] == pytest.approx(expected, abs=5e-6)
    assert frame.nll_change.abs().max() > 0.1


def test_residual_patching_equals_one_full_pass_per_site(tiny_model, pairs):
    plain = copy.deepcopy(tiny_model)
    layers = plain.get_submodule(PLACES[plain.config.model_type][0])
    frame = residual_patching(boot_bridge(tiny_model), pairs, micro_batch=4)
    found = frame.set_index(["id", "direction", "layer", "position"]).nll_change
    for name, direction, clean, source, perturbed_position, impact in cases(pairs):
        with torch.no_grad():
            stream = plain(source, output_hidden_states=True).hidden_states
        for layer in range(2):
            for position in range(12):

                def patch(module, inputs, layer=layer, position=position, stream=stream):
                    value = inputs[0].clone()
                    value[0, position] = stream[layer][0, position]
                    return (value, *inputs[1:])

                handle = layers[layer].register_forward_pre_hook(patch)
                expected = impact_nll(plain, clean, impact)
                handle.remove()
                expected -= impact_nll(plain, clean, impact)
                if perturbed_position <= position < impact:
                    assert found[name, direction, layer, position] == pytest.approx(expected, abs=5e-6)
                else:  # left out of the table
                    assert (name, direction, layer, position) not in found.index
                    assert expected == pytest.approx(0, abs=5e-6)


def test_patching_the_embedding_is_running_the_other_paragraph(tiny_gpt_neo, pairs):
    plain = copy.deepcopy(tiny_gpt_neo)
    frame = residual_patching(boot_bridge(tiny_gpt_neo), pairs, micro_batch=64)
    found = frame.set_index(["id", "direction", "layer", "position"]).nll_change
    for name, direction, clean, source, position, impact in cases(pairs):
        other = source.clone()
        other[0, impact] = clean[0, impact]
        expected = impact_nll(plain, other, impact) - impact_nll(plain, clean, impact)
        assert found[name, direction, 0, position] == pytest.approx(expected, abs=5e-6)


def test_attribution_is_the_first_order_of_exact_patching(tiny_model, pairs):
    """Central difference: patched a small way towards, and away from, the source run's activation."""
    plain = copy.deepcopy(tiny_model)
    frame = attribution_patching(boot_bridge(tiny_model), pairs, micro_batch=2)
    found = frame.set_index(["id", "direction", "layer", "component", "head"]).nll_change
    step = 0.01
    for case in cases(pairs):
        for layer in range(2):
            for component in "qkv":
                for head in range(n_heads(plain, component)):
                    site = layer, component, head
                    there, back = (plain_change(plain, case, *site, fraction=sign * step) for sign in (1, -1))
                    expected = (there - back) / (2 * step)
                    assert found[*case[:2], *site] == pytest.approx(expected, abs=1e-3, rel=1e-2)


def test_attribution_table_has_the_rows_of_the_exact_one(tiny_llama, pairs):
    bridge = boot_bridge(tiny_llama)
    key = ["id", "direction", "layer", "component", "head"]
    exact, estimate = activation_patching(bridge, pairs, 64), attribution_patching(bridge, pairs, 3)
    assert list(exact.columns) == list(estimate.columns)
    assert (
        exact[key]
        .sort_values(key, ignore_index=True)
        .equals(estimate[key].sort_values(key, ignore_index=True))
    )


@pytest.mark.parametrize("method", [activation_patching, residual_patching, attribution_patching])
def test_micro_batches_change_nothing(tiny_gpt_neo, pairs, method):
    bridge = boot_bridge(tiny_gpt_neo)
    one, many = (
        method(bridge, pairs, size).set_index(["id", "direction", "layer"]).sort_index(kind="stable")
        for size in (1, 64)
    )
    np.testing.assert_allclose(one.nll_change, many.nll_change, rtol=1e-6, atol=1e-6)


def test_pair_without_a_perturbed_token_is_refused(tiny_gpt2, pairs):
    same = pairs._replace(perturbed=pairs.memorized)
    with pytest.raises(ValueError, match=r"paragraphs \[31, 8, 12\]: .*at its perturbed position"):
        activation_patching(boot_bridge(tiny_gpt2), same, 64)


def test_pair_that_differs_elsewhere_is_refused(tiny_gpt2, pairs):
    pairs.perturbed[1, 3] = (pairs.memorized[1, 3] + 1) % 64
    for method in (activation_patching, residual_patching, attribution_patching):
        with pytest.raises(ValueError, match=r"paragraphs \[8\]: .*nowhere else"):
            method(boot_bridge(copy.deepcopy(tiny_gpt2)), pairs, 64)
