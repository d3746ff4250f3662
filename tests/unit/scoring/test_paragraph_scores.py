"""Scores against decoding step by step, in which the whole context is run again for every token."""

from functools import partial

import pytest
import torch
from made_paragraphs import N_PREFIX, N_TOKENS, own_paragraphs, random
from plain_decoding import matching, mean_nll
from plain_runs import decode
from transformers import DynamicCache

from memloc.model import subject as subjects
from memloc.model.subject import Subject
from memloc.scoring import decoding, paragraph_scores, teacher_forcing
from memloc.scoring.paragraph_scores import Scores

subject = partial(Subject, n_prefix=N_PREFIX, micro_batch=64)


@pytest.fixture
def paragraphs(tiny_model):
    return own_paragraphs(tiny_model, 200)


def test_scores_equal_step_by_step_decoding(any_model):
    paragraphs = own_paragraphs(any_model, 200)
    scores = paragraph_scores.score(subject(any_model), paragraphs, 0.0001)
    decoded = decode(any_model, paragraphs[:, :N_PREFIX], N_TOKENS - N_PREFIX)
    assert torch.equal(scores.em, matching(decoded, paragraphs[:, N_PREFIX:]))
    assert scores.em.unique().tolist() == list(range(N_TOKENS - N_PREFIX + 1))
    assert torch.allclose(scores.nll, mean_nll(any_model, paragraphs, N_PREFIX), atol=1e-5)


def test_margin_is_the_smallest_gap_up_to_the_first_mismatch(tiny_model, paragraphs):
    scores = paragraph_scores.teacher_forced(subject(tiny_model), paragraphs)
    with torch.no_grad():
        logits = tiny_model(paragraphs, use_cache=False).logits
    for row, em, margin in zip(logits, scores.em.tolist(), scores.margin.tolist(), strict=True):
        gaps = []
        for position in range(N_PREFIX, min(N_PREFIX + em + 1, N_TOKENS)):
            first, second = row[position - 1].sort(descending=True).values[:2].tolist()
            gaps.append(first - second)
        assert margin == pytest.approx(min(gaps), abs=1e-5)


def test_ties_are_decoded_step_by_step(tiny_model):
    """Tokens 32..63 get the unembedding of 0..31: the two largest logits are equal in every decision."""
    with torch.no_grad():
        weight = tiny_model.get_output_embeddings().weight
        weight[32:] = weight[:32]
    prefix = torch.randint(64, (50, N_PREFIX), generator=random(3))
    decoded = decoding.greedy_continuation(subject(tiny_model, micro_batch=50), prefix, 12)
    tokens = torch.cat([prefix, decoded], dim=1)
    tokens[25:, -1] = (tokens[25:, -1] + 32) % 64  # the other token of a tie
    scores = paragraph_scores.score(subject(tiny_model, micro_batch=50), tokens, 0.001)
    assert scores.redecoded.all() and scores.margin.max() < 1e-4
    assert scores.em.tolist() == [12] * 25 + [11] * 25


def test_only_near_ties_are_decoded_each_from_its_first_one_on(tiny_gpt_neo, monkeypatch):
    tokens = own_paragraphs(tiny_gpt_neo, 60)
    forced = paragraph_scores.teacher_forced(subject(tiny_gpt_neo, micro_batch=60), tokens)
    threshold = float(forced.margin.median())
    doubtful = forced.margin < threshold

    def decoded(_, rows, known):
        assert torch.equal(rows, tokens[doubtful])
        margins = [own[own < threshold] for own in forced.margins[doubtful]]
        firsts = [
            own.tolist().index(near[0]) for own, near in zip(forced.margins[doubtful], margins, strict=True)
        ]
        assert known.tolist() == firsts
        other = rows[:, N_PREFIX:].clone()
        other[:, 3] = (other[:, 3] + 1) % 64
        return other

    monkeypatch.setattr(paragraph_scores, "continue_from_scores", decoded)
    scores = paragraph_scores.score(subject(tiny_gpt_neo, micro_batch=60), tokens, threshold)
    assert torch.equal(scores.redecoded, doubtful)
    assert (scores.em[doubtful] == 3).all()
    assert torch.equal(scores.em[~doubtful], forced.em[~doubtful])
    assert torch.equal(scores.nll, forced.nll)


@pytest.mark.parametrize("n_cached", [1, 4, N_PREFIX - 1])
def test_scores_from_a_cache_equal_those_of_the_whole_paragraph(tiny_model, paragraphs, n_cached):
    tokens = paragraphs[:9]
    with torch.no_grad():
        cache = tiny_model(tokens[:, :n_cached], cache=DynamicCache(), use_cache=True).cache
    fast = paragraph_scores.score_batch(subject(tiny_model), tokens, cache)
    slow = paragraph_scores.score_batch(subject(tiny_model), tokens)
    assert torch.equal(fast.em, slow.em)
    assert torch.allclose(fast.nll, slow.nll, atol=1e-5)
    assert torch.allclose(fast.margin, slow.margin, atol=1e-4)


def test_a_few_paragraphs_at_a_time_change_nothing(tiny_model, paragraphs, monkeypatch):
    whole = subject(tiny_model).states(paragraphs)
    monkeypatch.setitem(subjects.ACTIVATION_BYTES, "cpu", 3 * 16 * 16 * paragraphs.shape[1])
    runs = []
    tiny_model.base_model.register_forward_pre_hook(lambda _module, inputs: runs.append(len(inputs[0])))
    parts = subject(tiny_model).states_in_parts(paragraphs)
    assert torch.allclose(parts, whole, atol=1e-5) and sum(runs) == len(paragraphs) and max(runs) == 3


@pytest.mark.parametrize("flip", [0.0, 0.5])
def test_doubtful_tokens_are_decided_as_decoding_does(tiny_model, paragraphs, flip):
    """Also where the exact match to begin with is too small: its mismatch is in doubt, and is none."""
    n_left, draw = N_TOKENS - N_PREFIX, random(7)
    expected = matching(decode(tiny_model, paragraphs[:, :N_PREFIX], n_left), paragraphs[:, N_PREFIX:])
    wrong = torch.rand(len(expected), generator=draw) < flip
    em = torch.where(wrong, (expected * torch.rand(len(expected), generator=draw)).long(), expected)
    doubtful = (torch.rand(len(em), n_left, generator=draw) < 0.3) & (torch.arange(n_left) <= em[:, None])
    doubtful |= (torch.arange(n_left) == em[:, None]) & wrong[:, None]
    scores = Scores(em, torch.zeros(len(em)), torch.where(doubtful, 0.5, torch.inf), doubtful.any(dim=1))
    found = paragraph_scores.redecoded(subject(tiny_model), paragraphs, scores, 1.0)
    assert torch.equal(found.em, expected) and torch.equal(found.redecoded, doubtful.any(dim=1))
    assert (em < expected).any() == (flip > 0) and expected.unique().numel() > 5


def test_half_precision_is_raised_before_logits_are_compared(tiny_gpt2):
    rows, model = own_paragraphs(tiny_gpt2, 20), tiny_gpt2.bfloat16()
    found = paragraph_scores.score_batch(subject(model), rows)
    assert found.nll.dtype == found.margins.dtype == torch.float32
    torch.testing.assert_close(found.nll, mean_nll(model, rows, N_PREFIX), rtol=1e-5, atol=1e-5)


def test_nll_of_a_certain_token_keeps_its_digits():
    """log1p: a sum that starts at 1 would lose what lies below the precision of 1."""
    found = teacher_forcing.score_logits(torch.tensor([[20.0, 0.0]]), torch.tensor([0]))
    assert found.nll.item() == pytest.approx(2.0611536e-09, rel=1e-6)


def test_a_micro_batch_is_scored_as_if_it_were_alone(memorizing_model, disturbed):
    """Bit for bit, re-decoded near-ties included: tables can be made in parts."""
    memorizing = Subject(memorizing_model, 12, 50)
    whole = paragraph_scores.score(memorizing, disturbed, 2.0)
    parts = [paragraph_scores.score(memorizing, rows, 2.0) for rows in disturbed.split([50, 100, 90])]
    assert 0 < whole.redecoded.sum() < len(disturbed)
    for left, right in zip(whole, paragraph_scores.concatenated(parts), strict=True):
        assert torch.equal(left, right)
