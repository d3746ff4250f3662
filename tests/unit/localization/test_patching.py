"""Patching against full forward passes, without cache, one site at a time, through plain torch hooks."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from plain_patching import SitePatching
from plain_runs import n_heads

from memloc.localization.patching import activation_patching, attribution_patching, wants_exact
from memloc.model.subject import Subject
from memloc.perturbation.pairs import Pairs
from tiny_models import TINY

SITE = ["id", "direction", "layer", "component", "head"]


subject = partial(Subject, n_prefix=1, micro_batch=5)


@pytest.fixture
def pairs(tiny_tokens):
    """Paragraphs with one perturbed token each, which go on differently from their impact position on.

    Among them: the first token perturbed, the one just before the impact position, impact at the last token.
    """
    memorized = tiny_tokens[:5]
    position, impact = torch.tensor([4, 0, 5, 2, 10]), torch.tensor([6, 9, 6, 11, 11])
    perturbed = memorized.clone()
    row = torch.arange(len(memorized))
    perturbed[row, position] = (memorized[row, position] + 17) % 64
    for number, start in enumerate(impact):
        perturbed[number, start:] = (memorized[number, start:] + 29) % 64
    return Pairs(np.array([31, 8, 12, 50, 2]), memorized, perturbed, position, impact)


def cases(pairs):
    """(id, direction, receiver, source, perturbed position, impact position), written out."""
    for number, name in enumerate(pairs.ids):
        memorized, perturbed = pairs.memorized[number], pairs.perturbed[number]
        at = int(pairs.perturbed_position[number]), int(pairs.impact_position[number])
        yield name, "memorized_into_perturbed", perturbed[None], memorized[None], *at
        yield name, "perturbed_into_memorized", memorized[None], perturbed[None], *at


def plain_change(model, case, *site, fraction=1.0):
    """NLL change when one head is moved by a fraction of the way to the source run's activation."""
    return SitePatching(model, *case[2:], [site]).nll_changes(fraction)[0]


def test_activation_patching_equals_one_full_pass_per_site(any_model, pairs):
    frame = activation_patching(subject(any_model), pairs)
    sites = [
        (layer, name, head)
        for layer in range(2)
        for name in "qkv"
        for head in range(n_heads(any_model, name))
    ]
    assert len(frame) == 5 * 2 * len(sites)
    assert set(frame.method) == {"exact"}
    found = frame.set_index(SITE).nll_change
    for case in cases(pairs):
        for site in sites:
            expected = plain_change(any_model, case, *site)
            assert found[*case[:2], *site] == pytest.approx(expected, rel=1e-5, abs=5e-6)
    assert frame.nll_change.abs().max() > 0.1


@pytest.mark.parametrize("tiny_model", [*TINY, "olmo2"], indirect=True)
def test_attribution_is_the_first_order_of_exact_patching(tiny_model, pairs):
    """Central difference: patched a small way towards, and away from, the source run's activation."""
    pairs = Pairs(*(column[:3] for column in pairs))
    found = attribution_patching(subject(tiny_model), pairs).set_index(SITE).nll_change
    step = 0.01
    for case in cases(pairs):
        for layer in range(2):
            for component in "qkv":
                for head in range(n_heads(tiny_model, component)):
                    site = layer, component, head
                    there, back = (
                        plain_change(tiny_model, case, *site, fraction=sign * step) for sign in (1, -1)
                    )
                    expected = (there - back) / (2 * step)
                    assert found[*case[:2], *site] == pytest.approx(expected, abs=1e-3, rel=1e-2)


def test_patches_of_large_models_are_estimated_unless_asked_for(tiny_gpt2):
    assert wants_exact(None, subject(tiny_gpt2))
    assert not wants_exact(False, subject(tiny_gpt2))
    tiny_gpt2.num_parameters = lambda: 1_000_000_000
    assert wants_exact(None, subject(tiny_gpt2))
    tiny_gpt2.num_parameters = lambda: 1_000_000_001
    assert not wants_exact(None, subject(tiny_gpt2))
    assert wants_exact(True, subject(tiny_gpt2))


def test_pairs_are_matched_by_id(pairs):
    paragraphs = pd.DataFrame({"id": [*pairs.ids, 7], "tokens": [*pairs.memorized.tolist(), [0] * 12]})
    columns = {
        "position": pairs.perturbed_position.numpy(),
        "impact_position": pairs.impact_position.numpy(),
        "tokens": pairs.perturbed.tolist(),
    }
    perturbed = pd.DataFrame({"id": pairs.ids, **columns}).iloc[[4, 3, 2, 1, 0]]
    found = Pairs.from_tables(paragraphs.sort_values("id"), perturbed)
    assert found.ids.tolist() == pairs.ids.tolist()[::-1]
    for column, expected in zip(found[1:], pairs[1:], strict=True):
        assert torch.equal(column, expected[[4, 3, 2, 1, 0]])
