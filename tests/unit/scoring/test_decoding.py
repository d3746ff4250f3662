"""Greedy continuations against decoding step by step without any cache."""

from functools import partial

import pytest
import torch
from made_paragraphs import N_PREFIX, own_paragraphs, random
from plain_decoding import generate, matching
from plain_runs import decode
from transformers import GPTNeoConfig, GPTNeoForCausalLM

from memloc.model.subject import Subject
from memloc.scoring import decoding, paragraph_scores

subject = partial(Subject, n_prefix=N_PREFIX, micro_batch=40)


def test_cached_decoding_equals_full_recomputation(any_model):
    prefix = torch.randint(64, (30, N_PREFIX), generator=random(4))
    decoded = decoding.greedy_continuation(subject(any_model, micro_batch=11), prefix, 30)
    assert torch.equal(decoded, decode(any_model, prefix, 30))


@pytest.mark.parametrize("window", [1, 8])
def test_cached_decoding_with_local_attention_shorter_than_the_text(window):
    torch.manual_seed(0)
    layers = {"attention_types": [[["global", "local"], 1]], "num_layers": 2, "window_size": window}
    shape = {"hidden_size": 16, "num_heads": 4, "max_position_embeddings": 64, "vocab_size": 64}
    model = GPTNeoForCausalLM(GPTNeoConfig(**layers, **shape, initializer_range=0.25)).eval()
    tokens = own_paragraphs(model, 40)
    decoded = decoding.greedy_continuation(subject(model), tokens[:, :N_PREFIX], 30)
    assert torch.equal(decoded, decode(model, tokens[:, :N_PREFIX], 30))
    scores = paragraph_scores.score(subject(model), tokens, 0.0001)
    assert torch.equal(scores.em, matching(decoded[:, :12], tokens[:, N_PREFIX:]))


def test_end_token_does_not_end_decoding(tiny_model):
    """With an unembedding of zeros, the end token (0) is the most likely one at every step."""
    with torch.no_grad():
        tiny_model.get_output_embeddings().weight.zero_()
    assert tiny_model.config.eos_token_id == 0
    prefix = torch.randint(64, (3, N_PREFIX), generator=random(5))
    found = decoding.greedy_continuation(subject(tiny_model, micro_batch=2), prefix, 6)
    assert found.tolist() == [[0] * 6] * 3
    assert generate(tiny_model, prefix, 6).tolist() == [[0] * 6] * 3


@pytest.mark.parametrize("micro_batch", [1, 9, 500])
def test_continuation_from_the_first_mismatch_is_the_greedy_one(memorizing_model, disturbed, micro_batch):
    tokens = disturbed[::4]
    em = paragraph_scores.teacher_forced(Subject(memorizing_model, 12, 60), tokens).em
    greedy = decoding.greedy_continuation(Subject(memorizing_model, 12, 60), tokens[:, :12], 12)
    found = decoding.continue_from_scores(Subject(memorizing_model, 12, micro_batch), tokens, em)
    assert torch.equal(found, greedy)


def test_continuation_of_a_full_match_is_the_true_one(tiny_gpt_neo, tiny_tokens):
    """Also where decoding would give another one: a full match is a decision, and is not taken again."""
    em = torch.tensor([8, 0, 8, 8, 3, 8, 8])
    continuation = decoding.continue_from_scores(Subject(tiny_gpt_neo, 4, 7), tiny_tokens, em)
    full = em == 8
    assert torch.equal(continuation[full], tiny_tokens[full, 4:])
    of_full = decoding.continue_from_scores(Subject(tiny_gpt_neo, 4, 7), tiny_tokens[full], em[full])
    assert torch.equal(of_full, tiny_tokens[full, 4:])
    assert not torch.equal(continuation[~full], tiny_tokens[~full, 4:])


def test_only_tokens_that_are_not_known_are_unembedded(memorizing_model, disturbed):
    """A fully known row is never run."""
    em = torch.arange(14).clamp(max=12)
    n_unembedded = []
    memorizing_model.get_output_embeddings().register_forward_hook(
        lambda module, inputs, output: n_unembedded.append(len(inputs[0]))
    )
    decoding.continue_from_scores(Subject(memorizing_model, 12, 14), disturbed[:14], em)
    assert n_unembedded == list(range(1, 13))


def test_prefix_of_one_token(tiny_model):
    prefix = torch.tensor([[3], [5]])
    decoded = decoding.greedy_continuation(Subject(tiny_model, 1, 2), prefix, 6)
    assert torch.equal(decoded, decode(tiny_model, prefix, 6))
