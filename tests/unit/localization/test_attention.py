"""Attention of the first decoded token against Hugging Face's own eager attention, for every family."""

import copy

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import OPTConfig, OPTForCausalLM

from memloc.data.paragraphs import attention_sample
from memloc.localization.attention import attention_frame, prefix_attention
from memloc.localization.rare_tokens import attention_array
from memloc.model.loading import bridged
from memloc.model.subject import Subject
from memloc.run.errors import InputError

N_PREFIX = 6
IDS = np.array([40, 7, 23, 11, 5, 90, 61])


def attention_of(model, tokens, micro_batch=7):
    return prefix_attention(bridged(Subject(model, N_PREFIX, micro_batch)), tokens)


@pytest.fixture
def expected(any_model, tiny_tokens):
    """Full attention of a full forward pass, at the query that is the first decoded token."""
    model = copy.deepcopy(any_model)
    model.set_attn_implementation("eager")
    with torch.no_grad():
        attentions = model(tiny_tokens, output_attentions=True).attentions
    return torch.stack([layer[:, :, N_PREFIX, : N_PREFIX + 1] for layer in attentions], dim=1)


def test_pattern_is_that_of_hugging_face(any_model, tiny_tokens, expected):
    attention = attention_of(any_model, tiny_tokens, 3)
    assert attention.shape == (7, 2, 4, N_PREFIX + 1)
    torch.testing.assert_close(attention, expected)
    torch.testing.assert_close(attention.sum(dim=-1), torch.ones(7, 2, 4))
    assert expected.std(dim=-1).mean() > 0.05  # far from even: a wrong head or layer would not go unseen


def test_pattern_of_a_family_whose_attention_the_bridge_does_not_compute_itself(tiny_tokens):
    """Hugging Face's default, fused attention has no pattern: loading must have chosen the eager one."""
    torch.manual_seed(0)
    width = {"hidden_size": 16, "word_embed_proj_dim": 16, "ffn_dim": 32, "vocab_size": 64, "init_std": 0.25}
    model = OPTForCausalLM(OPTConfig(num_hidden_layers=2, num_attention_heads=4, **width)).eval()
    eager = copy.deepcopy(model)
    eager.set_attn_implementation("eager")
    attentions = eager(tiny_tokens, output_attentions=True).attentions
    attention = attention_of(model, tiny_tokens)
    for layer in range(2):
        expected = attentions[layer][:, :, N_PREFIX, : N_PREFIX + 1]
        torch.testing.assert_close(attention[:, layer], expected)


def test_attention_of_half_precision_is_raised(tiny_gpt2, tiny_tokens):
    attention = attention_of(tiny_gpt2.bfloat16(), tiny_tokens)
    frame = attention_frame(attention, IDS)
    assert attention.dtype == torch.float32 and frame["attention"].between(0, 1).all()


def test_table_has_one_row_per_paragraph_layer_head_and_key(tiny_gpt2, tiny_tokens):
    attention = attention_of(tiny_gpt2, tiny_tokens)
    frame = attention_frame(attention, IDS)
    assert len(frame) == 7 * 2 * 4 * N_PREFIX
    row = frame.query("id == 23 and layer == 1 and head == 3 and position == 4")
    assert row.attention.item() == attention[2, 1, 3, 4].item()
    ids, array = attention_array(frame.sample(frac=1, random_state=0))
    assert ids.tolist() == sorted(IDS)
    np.testing.assert_array_equal(array, attention[IDS.argsort(), ..., :-1].numpy())


def test_incomplete_table_is_refused(tiny_gpt2, tiny_tokens):
    frame = attention_frame(attention_of(tiny_gpt2, tiny_tokens), IDS)
    with pytest.raises(ValueError, match=r"size 335 into shape \(7,2,4,6\)"):
        attention_array(frame.drop(index=100))


def test_the_sample_has_the_first_decoded_token_where_the_sets_keep_it():
    paragraphs = pd.DataFrame({"id": [4, 5, 6, 7], "tokens": [[i] * 6 for i in range(4)]})
    names = ["memorized", "non_memorized", "non_memorized", "partly_11_29"]
    sets = pd.DataFrame({"id": [4, 5, 6, 7], "set": names, "sampled": [True, True, False, True]})
    sets["sampled_rare_tokens"] = [False, True, True, False]
    sets["continuation"] = [[0, 0], [9, 9], None, [3, 3]]
    sets["pair"] = None
    ids, tokens, unknown = attention_sample(paragraphs, sets, n_prefix=4)
    assert ids.tolist() == [4, 5, 6] and unknown.tolist() == [False, False, True]
    assert tokens.tolist() == [[0] * 5, [1, 1, 1, 1, 9], [2] * 5]
    with pytest.raises(InputError, match="no paragraph is memorized or non-memorized"):
        attention_sample(paragraphs, sets.assign(sampled=False, sampled_rare_tokens=False), n_prefix=4)
