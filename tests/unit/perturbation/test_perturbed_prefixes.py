"""Versions from shared prefixes against whole passes over each."""

import pytest
import torch
from made_paragraphs import N_PREFIX, own_paragraphs, random

from memloc.model.subject import Subject
from memloc.perturbation.perturbed_prefixes import score_versions
from memloc.scoring import paragraph_scores


def perturbed(tokens, positions, draws):
    """[row, chosen, token]: one row per paragraph and draw."""
    shape = (len(tokens), draws, len(positions))
    drawn = torch.randint(64, shape, generator=random(0))
    versions = tokens[:, None, None].repeat(1, draws, len(positions), 1)
    for place, position in enumerate(positions):
        versions[:, :, place, position] = drawn[:, :, place]
    return versions.flatten(0, 1)


@pytest.fixture
def memorized_versions(memorizing_model, memorized_tokens):
    positions = torch.arange(12)
    return memorizing_model, perturbed(memorized_tokens, positions, draws=20), positions, 12


def assert_same_doubts(found, expected, threshold):
    """The same rows are decoded again, but for those whose margin is the threshold up to rounding."""
    clear = (expected.margin - threshold).abs() > 1e-4
    assert torch.equal(found.redecoded[clear], expected.redecoded[clear]) and clear.float().mean() > 0.98


def assert_same_as_whole(model, rows, positions, n_prefix):
    fast = score_versions(Subject(model, n_prefix, 7), rows, positions, 0.3)
    slow = paragraph_scores.score(Subject(model, n_prefix, 50), rows.flatten(0, 1), 0.3)
    assert torch.equal(fast.em, slow.em)
    assert_same_doubts(fast, slow, 0.3)
    assert torch.allclose(fast.nll, slow.nll, atol=1e-5)
    assert torch.allclose(fast.margin, slow.margin, atol=1e-4)
    assert 0 < fast.redecoded.sum() < len(fast.redecoded) and fast.em.unique().numel() > 5


def test_shared_prefixes_change_nothing_in_any_family(any_model):
    """In most of a model's paragraphs a mismatch is known, and a perturbation often leaves it where it is."""
    positions = torch.tensor([0, 3, 6, 7])
    rows = perturbed(own_paragraphs(any_model, 30), positions, 2)
    assert_same_as_whole(any_model, rows, positions, N_PREFIX)


def test_shared_prefixes_change_nothing_in_memorized_text(memorized_versions):
    model, rows, positions, n_prefix = memorized_versions
    assert_same_as_whole(model, rows[:60], positions, n_prefix)


def test_a_micro_batch_is_scored_as_if_it_were_alone(memorized_versions):
    model, rows, positions, n_prefix = memorized_versions
    subject, options = Subject(model, n_prefix, 20), (positions, 0.5)
    whole = score_versions(subject, rows, *options)
    parts = [score_versions(subject, part, *options) for part in rows.split([40, 80, 120])]
    for name in ("em", "redecoded"):
        assert torch.equal(getattr(whole, name), torch.cat([getattr(part, name) for part in parts]))
