"""Selections of weights against slow counterparts: exact sizes, the right places, all put back."""

from functools import partial

import numpy as np
import pytest
import torch
from plain_unlearning import masks
from transformers import PreTrainedModel

from memloc.editing.gradients import nll_gradients
from memloc.editing.masks import head_weights, largest, random_weights, top_weights
from memloc.model.subject import Subject
from memloc.model.weights import EVERY, EditError, Original, all_weights, n_weights

N_PREFIX = 5
subject = partial(Subject, n_prefix=N_PREFIX, micro_batch=7)


def n_editable(model: PreTrainedModel) -> int:
    return sum(model.get_parameter(name).numel() for name in subject(model).weights)


@pytest.mark.parametrize("fraction", [1e-9, 0.013, 1.0])
def test_top_and_random_have_the_exact_size(tiny_gpt_neo, tiny_tokens, fraction):
    """One weight at least."""
    gradients = nll_gradients(subject(tiny_gpt_neo), tiny_tokens)
    expected = max(1, round(fraction * n_editable(tiny_gpt_neo)))
    drawn = random_weights(subject(tiny_gpt_neo), fraction, np.random.default_rng(0))
    for movable in (top_weights(gradients, fraction), drawn):
        assert n_weights(subject(tiny_gpt_neo), movable) == expected
        assert sum(int(mask.sum()) for mask in masks(tiny_gpt_neo, movable).values()) == expected


def test_ties_do_not_change_the_size():
    movable = top_weights({"a": torch.ones(4, 3), "b": torch.ones(8)}, 0.25)
    assert sum(len(places) for places in movable.values()) == 5


@pytest.mark.parametrize("n", [1, 20_000, 400_000])
@pytest.mark.parametrize("sample", [0, 1, -1])
def test_the_largest_values_are_those_of_topk(sample, n):
    """Also where every fourth value, of which the sample is made, is unlike the others."""
    values = torch.rand(400_000, generator=torch.Generator().manual_seed(0))
    values[::4] += sample
    places = largest(values, n)
    assert len(places.unique()) == n
    assert torch.equal(values[places].sort().values, values.topk(n).values.sort().values)


def test_top_weights_are_those_of_a_sorted_list(tiny_model, tiny_tokens):
    gradients = nll_gradients(subject(tiny_model), tiny_tokens)
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
    rngs = map(np.random.default_rng, (0, 0, 1))
    first, again, other = (
        masks(tiny_gpt_neo, random_weights(subject(tiny_gpt_neo), 0.3, rng)) for rng in rngs
    )
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)
    assert all(0.2 < mask.float().mean() < 0.4 for mask in first.values())


@pytest.mark.parametrize("head", range(4))
def test_head_weights_are_the_heads_rows_of_every_view(tiny_model, head):
    """Every head: of 4 query heads and 2 key/value heads, 0 and 1 read the first, 2 and 3 the second."""
    chosen = masks(tiny_model, head_weights(subject(tiny_model), 1, head))
    for component in subject(tiny_model).components:
        view = component.view(chosen[component.parameter])
        if component.layer != 1 or component.n_heads is None:
            assert not view.any()
        else:
            own = head if component.n_heads == 4 else [0, 0, 1, 1][head]
            assert view[own].all()
            assert view.sum() == view[own].numel()


def test_changes_are_counted_and_refused_outside_of_the_mask(tiny_gpt_neo):
    original = Original(subject(tiny_gpt_neo))
    name = [*subject(tiny_gpt_neo).weights][1]
    weight = tiny_gpt_neo.get_parameter(name).detach().view(-1)
    weight[[3, 5]] += 1e-6
    assert original.n_changed({name: torch.tensor([3, 5, 9])}) == 2
    assert original.n_changed({name: EVERY}) == 2
    with pytest.raises(EditError, match=f"{name}: 1 weights changed outside"):
        original.n_changed({name: torch.tensor([3])})
    weight[3] = torch.inf
    with pytest.raises(EditError, match="not finite"):
        original.n_changed({name: EVERY})


@pytest.mark.parametrize("name", ["transformer.wte.weight", "transformer.h.0.ln_1.bias"])
def test_a_change_of_what_is_no_component_is_refused(tiny_gpt_neo, name):
    original = Original(subject(tiny_gpt_neo))
    tiny_gpt_neo.get_parameter(name).detach().view(-1)[0] += 1
    with pytest.raises(EditError, match=name):
        original.n_changed(all_weights(subject(tiny_gpt_neo)))
