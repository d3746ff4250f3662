"""A folder of a tiny GPT-Neo with a tokenizer, as rules find models."""

import pytest
import torch
from transformers import GPTNeoConfig, GPTNeoForCausalLM

from tiny_models import VOCABULARY, save_tokenizer


@pytest.fixture
def folder(tmp_path):
    """Two layers, 64 tokens."""
    torch.manual_seed(0)
    config = GPTNeoConfig(
        vocab_size=VOCABULARY,
        hidden_size=16,
        num_layers=2,
        num_heads=2,
        intermediate_size=32,
        attention_types=[[["global", "local"], 1]],
        max_position_embeddings=32,
        window_size=32,
    )
    GPTNeoForCausalLM(config).save_pretrained(tmp_path)
    save_tokenizer(tmp_path)
    return tmp_path
