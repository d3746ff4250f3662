"""The text of tokens, with every space."""

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int
from torch import Tensor

from memloc.run.errors import InputError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def decoded(tokens: Int[Tensor, "paragraph token"], tokenizer: "PreTrainedTokenizerBase") -> list[str]:
    """Text of every paragraph, with every space.

    Raises:
        InputError: the tokenizer lacks a token, which it would skip silently.
    """
    if len(tokens) and not 0 <= tokens.min() <= tokens.max() < len(tokenizer):
        raise InputError(
            f"paragraphs hold tokens {tokens.min()} to {tokens.max()}, the tokenizer has {len(tokenizer)}: "
            "they were made with another tokenizer than the model's"
        )
    return tokenizer.batch_decode(tokens.tolist(), clean_up_tokenization_spaces=False)


def line_breaks(tokenizer: "PreTrainedTokenizerBase") -> Int[np.ndarray, "token"]:
    """Number of line breaks in the text of every token, by its id."""
    each_token = tokenizer.batch_decode([[token] for token in range(len(tokenizer))])
    return np.array([text.count("\n") for text in each_token])
