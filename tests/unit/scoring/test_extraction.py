"""Probabilities of continuations against the warpers of transformers, and against draws."""

import math
from functools import partial

import pytest
import torch
from made_paragraphs import random
from transformers import TopKLogitsWarper

from memloc.model.subject import Subject
from memloc.scoring import extraction, paragraph_scores
from memloc.scoring.extraction import TOP_K, log_probability, score_and_extract

N_PREFIX = 5
subject = partial(Subject, n_prefix=N_PREFIX, micro_batch=3)


def warped(logits, top_k=TOP_K):
    """Log-probabilities of what the warper of transformers leaves."""
    return TopKLogitsWarper(top_k)(None, logits).log_softmax(-1)


@pytest.mark.parametrize("top_k", [1, 5, 40, 59])
def test_log_probabilities_are_those_of_the_warper(monkeypatch, top_k):
    monkeypatch.setattr(extraction, "TOP_K", top_k)
    logits = 4 * torch.randn(400, 60, generator=random(0), dtype=torch.float64)
    true = torch.randint(60, (400,), generator=random(1))
    true[::2] = logits[::2].topk(3).indices[:, 2]  # half of them are likely
    expected = warped(logits, top_k).gather(-1, true.unsqueeze(-1)).squeeze(-1)
    before = logits.clone()
    torch.testing.assert_close(log_probability(logits, true), expected, rtol=1e-9, atol=1e-12)
    assert torch.equal(logits, before), "the logits are still needed"


def test_ties_with_the_last_kept_token_are_kept(monkeypatch):
    monkeypatch.setattr(extraction, "TOP_K", 3)
    logits = torch.tensor([[2.0, 1.0, 1.0, 1.0, 1.0, 0.0]]).repeat(6, 1)
    kept = [2, 1, 1, 1, 1]
    total = math.log(sum(map(math.exp, kept)))
    expected = [each - total for each in kept] + [-math.inf]
    assert log_probability(logits, torch.arange(6)).tolist() == pytest.approx(expected)


def test_a_nearly_certain_token_keeps_its_digits_and_is_never_above_one(monkeypatch):
    monkeypatch.setattr(extraction, "TOP_K", 2)
    logits = torch.tensor([[20.0, 0.0, -1.0], [2000.0, 0.0, -1.0]])
    found = log_probability(logits, torch.zeros(2, dtype=torch.long))
    assert (found <= 0).all() and found.isfinite().all()
    assert found[0].item() == pytest.approx(-2.06115e-9)


def test_extraction_of_every_family_is_that_of_the_plain_model(any_model, tiny_tokens):
    _, found = score_and_extract(subject(any_model), tiny_tokens, 1e-3)
    with torch.no_grad():
        logits = any_model(tiny_tokens, use_cache=False).logits[:, N_PREFIX - 1 : -1].double()
    tokens = warped(logits).gather(-1, tiny_tokens[:, N_PREFIX:, None]).squeeze(-1)
    torch.testing.assert_close(found, tokens.sum(dim=1), rtol=1e-4, atol=1e-4)


def test_scores_are_the_same_with_and_without(memorizing_model, disturbed):
    memorizing = Subject(memorizing_model, 12, 50)
    alone = paragraph_scores.score(memorizing, disturbed, 2.0)
    scores, found = score_and_extract(memorizing, disturbed, 2.0)
    for left, right in zip(alone, scores, strict=True):
        assert torch.equal(left, right)
    assert (found >= -12 * scores.nll.double() - 1e-6).logical_or(found.isinf()).all()
