"""Which stored head a query head reads where heads share keys and values."""

import numpy as np


def stored_head(head: int | np.ndarray, n_stored: int, n_heads: int) -> int | np.ndarray:
    """Head of a component with `n_stored` heads that query head `head` of `n_heads` uses."""
    return head * n_stored // n_heads
