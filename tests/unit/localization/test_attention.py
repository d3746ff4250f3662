"""Attention of the first decoded token against Hugging Face's own eager attention, for every family."""

import copy

import numpy as np
import torch

from memloc.localization.attention import attention_frame, prefix_attention
from memloc.model.loading import bridged
from memloc.model.subject import Subject

N_PREFIX = 6
IDS = np.array([40, 7, 23, 11, 5, 90, 61])


def attention_of(model, tokens, micro_batch=7):
    return prefix_attention(bridged(Subject(model, N_PREFIX, micro_batch)), tokens)


def test_pattern_is_that_of_hugging_face(any_model, tiny_tokens):
    """Of a full forward pass, at the query that is the first decoded token."""
    model = copy.deepcopy(any_model)
    model.set_attn_implementation("eager")
    with torch.no_grad():
        attentions = model(tiny_tokens, output_attentions=True).attentions
    expected = torch.stack([layer[:, :, N_PREFIX, : N_PREFIX + 1] for layer in attentions], dim=1)
    attention = attention_of(any_model, tiny_tokens, 3)
    assert attention.shape == (7, 2, 4, N_PREFIX + 1)
    torch.testing.assert_close(attention, expected)
    torch.testing.assert_close(attention.sum(dim=-1), torch.ones(7, 2, 4))
    assert expected.std(dim=-1).mean() > 0.05  # far from even: a wrong head or layer would not go unseen


def test_attention_of_half_precision_is_raised(tiny_gpt2, tiny_tokens):
    attention = attention_of(tiny_gpt2.bfloat16(), tiny_tokens)
    frame = attention_frame(attention, IDS)
    assert attention.dtype == torch.float32 and frame["attention"].between(0, 1).all()
