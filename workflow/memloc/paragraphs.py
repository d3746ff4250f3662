"""Tokens of paragraphs as tensors."""

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor


def token_tensor(tokens: Iterable[Sequence[int]]) -> Int[Tensor, "paragraph token"]:
    """Tensor of token lists of one length, as a table's column holds them. ValueError: lengths differ."""
    return torch.from_numpy(np.stack([np.asarray(row, dtype=np.int64) for row in tokens]))
