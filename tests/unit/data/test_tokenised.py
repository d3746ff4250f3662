"""Documents as token ids: in order, whole, and without the tokens that a tokenizer adds by itself."""

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from memloc.data import tokenised as module
from memloc.data.tokenised import tokenised


@pytest.mark.parametrize("n_characters", [1, 4, 2**20])
def test_documents_come_in_order_without_special_tokens(monkeypatch, n_characters):
    monkeypatch.setattr(module, "N_CHARACTERS", n_characters)
    tokenizer = Tokenizer(models.WordLevel({"<s>": 0, "a": 1, "b": 2, "c": 3}, unk_token="c"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", unk_token="c")
    assert fast("a b")["input_ids"] == [0, 1, 2]
    texts = iter(["a b", "b", "", "a a a a a"])
    assert list(tokenised(texts, fast)) == [[1, 2], [2], [], [1] * 5]
