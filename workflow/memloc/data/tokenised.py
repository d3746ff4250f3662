"""Documents as token ids, some at a time."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from memloc.data.own_text import batched

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

N_CHARACTERS = 2**20  # tokenised at a time


def tokenised(texts: Iterable[str], tokenizer: "PreTrainedTokenizerBase") -> Iterator[list[int]]:
    """Token ids of each text, without special tokens. Memory: some texts, or the longest one."""
    for batch in batched(texts, N_CHARACTERS):
        yield from tokenizer(batch, add_special_tokens=False, return_attention_mask=False)["input_ids"]
