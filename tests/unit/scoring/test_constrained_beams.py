"""Bounds on the probability of nearly a continuation, against every text there is."""

import itertools
from functools import partial

import pytest
import torch
from transformers import TopKLogitsWarper

from memloc.model.subject import Subject
from memloc.scoring import constrained_beams
from memloc.scoring.constrained_beams import log_p_nearly

N_PREFIX, N_NEW, N_TOKENS = 3, 4, 5
subject = partial(Subject, n_prefix=N_PREFIX, micro_batch=2)


@pytest.fixture
def tiny_vocabulary(tiny_gpt_neo):
    """A model that only ever writes five tokens, with logits that differ."""
    with torch.no_grad():
        unembed = tiny_gpt_neo.get_output_embeddings()
        unembed.weight.mul_(2)
        bias = torch.zeros(unembed.out_features)
        bias[N_TOKENS:] = -torch.inf
    unembed.bias = torch.nn.Parameter(bias)
    return tiny_gpt_neo


def of_every_text(model, row, n_replaced, top_k=N_TOKENS):
    """Sum of the probabilities of all texts that differ in so few tokens, each from a pass of its own."""
    texts = torch.tensor(list(itertools.product(range(N_TOKENS), repeat=N_NEW)))
    texts = texts[(texts != row[N_PREFIX:]).sum(dim=1) <= n_replaced]
    rows = torch.cat([row[:N_PREFIX].expand(len(texts), -1), texts], dim=1)
    with torch.no_grad():
        logits = model(rows, use_cache=False).logits[:, N_PREFIX - 1 : -1]
    chances = TopKLogitsWarper(top_k)(None, logits).log_softmax(-1)
    return chances.gather(-1, texts[..., None]).sum(dim=(1, 2)).double().logsumexp(0)


ROWS = torch.tensor([[7, 8, 9, 0, 1, 2, 3], [4, 4, 1, 4, 4, 0, 0], [9, 9, 9, 2, 2, 2, 2]])


@pytest.mark.parametrize("top_k", [N_TOKENS, 3])
@pytest.mark.parametrize("n_replaced", [0, 1, 4])
def test_with_room_for_every_text_the_bound_is_the_probability(
    tiny_vocabulary, monkeypatch, top_k, n_replaced
):
    monkeypatch.setattr(constrained_beams, "TOP_K", top_k)
    found = log_p_nearly(subject(tiny_vocabulary), ROWS, n_replaced, N_TOKENS**N_NEW)
    expected = [of_every_text(tiny_vocabulary, row, n_replaced, top_k) for row in ROWS]
    torch.testing.assert_close(found, torch.stack(expected), rtol=1e-4, atol=1e-4)


def test_fewer_beams_bound_it_from_below_and_never_lose_the_continuation(tiny_vocabulary):
    bounds = [log_p_nearly(subject(tiny_vocabulary, micro_batch=3), ROWS, 1, n) for n in (1, 3, 40)]
    alone = [of_every_text(tiny_vocabulary, row, 0) for row in ROWS]
    near = torch.stack([of_every_text(tiny_vocabulary, row, 1) for row in ROWS])
    torch.testing.assert_close(bounds[0], torch.stack(alone), rtol=1e-4, atol=1e-4)
    assert (bounds[0] < bounds[1]).all() and (bounds[1] <= bounds[2]).all()
    assert (bounds[2] <= near + 1e-4).all()


def test_a_prefix_of_one_token_needs_no_pass_before(tiny_vocabulary):
    longer = log_p_nearly(Subject(tiny_vocabulary, 1, 8), ROWS[:, 2:], 0)
    with torch.no_grad():
        logits = tiny_vocabulary(ROWS[:, 2:], use_cache=False).logits[:, :-1]
    own = logits.log_softmax(-1).gather(-1, ROWS[:, 3:, None]).sum(dim=(1, 2)).double()
    torch.testing.assert_close(longer, own, rtol=1e-4, atol=1e-4)
