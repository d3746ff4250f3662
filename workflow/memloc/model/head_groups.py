"""Which key/value head a query head reads, where several query heads share one (grouped-query attention)."""

import numpy as np


def stored_head(head: int | np.ndarray, n_stored: int, n_heads: int) -> int | np.ndarray:
    """The head that query head `head` of `n_heads` uses, in a component with `n_stored` heads."""
    return head * n_stored // n_heads


def stored_heads(n_stored: int, n_heads: int) -> np.ndarray:
    """`stored_head` of every query head, first to last."""
    return stored_head(np.arange(n_heads), n_stored, n_heads)
