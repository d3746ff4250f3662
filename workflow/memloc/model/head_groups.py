"""Which key/value head a query head reads, where several query heads share one (grouped-query attention)."""

from typing import Any


def stored_head(head: Any, n_stored: int, n_heads: int) -> Any:
    """The head that query head `head` of `n_heads` uses, in a component with `n_stored` heads; of a number,
    an array or a tensor of them."""
    return head * n_stored // n_heads
