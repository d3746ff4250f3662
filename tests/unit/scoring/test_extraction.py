"""Probabilities of continuations against the warpers of transformers, and against draws."""

import math

import numpy as np
import pytest
import torch
from made_paragraphs import random
from warped import warped

from memloc.scoring import paragraph_scores
from memloc.scoring.extraction import extraction_frame, log_probability, score_and_extract
from memloc.settings.extraction import Scheme
from memloc.settings.scores import Scoring

N_PREFIX = 5
DEFAULT = [Scheme(top_k=40), Scheme()]
SCHEMES = [
    Scheme(),
    Scheme(temperature=0.5),
    Scheme(top_k=1),
    Scheme(top_k=5),
    Scheme(top_k=5, temperature=2.0),
    Scheme(top_k=1000),
    Scheme(top_p=0.3),
    Scheme(top_p=0.9, temperature=0.7),
    Scheme(top_k=9, top_p=0.8),
]


def plain(model, tokens, scheme):
    """Sum of the true tokens' warped log-probabilities, from the plain model's full logits."""
    with torch.no_grad():
        logits = model(tokens, use_cache=False).logits[:, N_PREFIX - 1 : -1].double()
    true = tokens[:, N_PREFIX:]
    found = warped(logits.flatten(0, 1), scheme).view(logits.shape)
    return found.gather(-1, true.unsqueeze(-1)).squeeze(-1)


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
def test_log_probabilities_are_those_of_the_warpers(scheme):
    logits = 4 * torch.randn(400, 60, generator=random(0), dtype=torch.float64)
    true = torch.randint(60, (400,), generator=random(1))
    true[::2] = logits[::2].topk(3).indices[:, 2]  # half of them are likely
    expected = warped(logits, scheme).gather(-1, true.unsqueeze(-1)).squeeze(-1)
    before = logits.clone()
    torch.testing.assert_close(log_probability(logits, true, scheme), expected, rtol=1e-9, atol=1e-12)
    assert torch.equal(logits, before), "the logits are still needed"


@pytest.mark.parametrize(("top_p", "n_kept"), [(None, 5), (0.95, 5), (0.5, 5), (0.3, 1)])
def test_ties_with_the_last_kept_token_are_kept(top_p, n_kept):
    """Five tokens are left of the first three: 0.4 of their probability is that of the first."""
    logits = torch.tensor([[2.0, 1.0, 1.0, 1.0, 1.0, 0.0]]).repeat(6, 1)
    found = log_probability(logits, torch.arange(6), Scheme(top_k=3, top_p=top_p))
    kept = [2, 1, 1, 1, 1][:n_kept]
    total = math.log(sum(map(math.exp, kept)))
    expected = [each - total for each in kept] + [-math.inf] * (6 - n_kept)
    assert found.tolist() == pytest.approx(expected)


def test_a_nearly_certain_token_keeps_its_digits_and_is_never_above_one():
    logits = torch.tensor([[20.0, 0.0, -1.0], [2000.0, 0.0, -1.0]])
    for scheme in (Scheme(), Scheme(top_k=2), Scheme(top_p=0.999999999)):
        found = log_probability(logits, torch.zeros(2, dtype=torch.long), scheme)
        assert (found <= 0).all() and found.isfinite().all()
    found = log_probability(logits, torch.tensor([0, 0]), Scheme(top_k=2))[0]
    assert found.item() == pytest.approx(-2.06115e-9)


def test_extraction_of_every_family_is_that_of_the_plain_model(any_model, tiny_tokens):
    _, found = score_and_extract(any_model, tiny_tokens, N_PREFIX, Scoring(micro_batch=3), SCHEMES)
    for number, scheme in enumerate(SCHEMES):
        tokens = plain(any_model, tiny_tokens, scheme)
        torch.testing.assert_close(found[:, number], tokens.sum(dim=1), rtol=1e-4, atol=1e-4)


def test_scores_are_the_same_with_and_without(memorizing_model, disturbed):
    scoring = Scoring(micro_batch=50, margin_threshold=2.0)
    alone = paragraph_scores.score(memorizing_model, disturbed, 12, scoring)
    scores, found = score_and_extract(memorizing_model, disturbed, 12, scoring, DEFAULT)
    for left, right in zip(alone, scores, strict=True):
        assert torch.equal(left, right)
    torch.testing.assert_close(found[:, 1], -12 * scores.nll.double(), rtol=1e-5, atol=1e-6)
    assert (found[:, 0] >= found[:, 1] - 1e-6).logical_or(found[:, 0].isinf()).all()


def test_a_toy_model_gives_its_known_probability(tiny_gpt_neo):
    """Logits that depend on no token: the final norm's output is its bias, one number in the unembedding."""
    probabilities = torch.tensor([0.5, 0.25, 0.125, 0.125])
    with torch.no_grad():
        norm, unembed = tiny_gpt_neo.transformer.ln_f, tiny_gpt_neo.get_output_embeddings()
        norm.weight.zero_()
        norm.bias.zero_()
        norm.bias[0] = 1.0
        unembed.weight[:, 0] = -1e4
        unembed.weight[:4, 0] = probabilities.log()
    tokens = torch.tensor([[7, 7, 0, 1, 0], [7, 7, 2, 0, 0], [7, 7, 0, 0, 9]])
    schemes = [Scheme(), Scheme(top_k=2), Scheme(top_p=0.7)]
    _, found = score_and_extract(tiny_gpt_neo, tokens, 2, Scoring(), schemes)
    expected = [[1 / 16, 4 / 27, 4 / 27], [1 / 32, 0, 0], [0, 0, 0]]
    torch.testing.assert_close(found.exp(), torch.tensor(expected).double(), rtol=1e-5, atol=1e-12)


def test_frame_has_a_row_per_paragraph_and_scheme(tiny_gpt2, tiny_tokens):
    _, found = score_and_extract(tiny_gpt2, tiny_tokens, N_PREFIX, Scoring(), DEFAULT)
    frame = extraction_frame(found, np.arange(7) * 10, DEFAULT)
    assert frame["scheme"].unique().tolist() == ["T = 1, top k = 40", "T = 1"] and len(frame) == 14
    row = frame[(frame["id"] == 30) & (frame["scheme"] == "T = 1")]
    assert row["log_p"].item() == found[3, 1].item()
