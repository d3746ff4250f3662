"""A folder of a tiny GPT-Neo with a tokenizer, as rules find models."""

import pytest

from tiny_models import save_tokenizer


@pytest.fixture
def folder(tmp_path, tiny_gpt_neo):
    tiny_gpt_neo.save_pretrained(tmp_path)
    save_tokenizer(tmp_path)
    return tmp_path
