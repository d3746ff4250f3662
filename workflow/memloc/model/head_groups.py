"""The key/value head that a query head reads, where several share one (grouped-query attention)."""

from typing import Any


def stored_head(head: Any, n_stored: int, n_heads: int) -> Any:
    """The head, one of `n_stored`, that query head `head` of `n_heads` reads (number, array or tensor)."""
    return head * n_stored // n_heads
