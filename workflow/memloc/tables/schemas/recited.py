"""What of the user's own text the model recites, or nearly so (not in the paper)."""

import pandera.pandas as pa

from memloc.tables.columns import column, integer, number
from memloc.tables.schema import Lengths, Schema


def _recited(lengths: Lengths) -> dict[str, pa.Column]:
    of_continuation = {"high": lengths.continuation, "unit": "tokens"}
    return {
        "id": integer(0, unique=True, meaning="Paragraph."),
        "count": integer(0, unit="occurrences", meaning="How often the paragraph occurs in the text."),
        "em": integer(0, **of_continuation, meaning="Exact match: leading tokens that the model predicts."),
        "nll": number(0, unit="nats per token", meaning="Mean negative log-likelihood of the continuation."),
        "n_edits": integer(
            0, **of_continuation, meaning="Tokens to insert, delete or replace in the greedy continuation."
        ),
        "longest_run": integer(
            0, **of_continuation, meaning="Longest run of tokens that both continuations have in common."
        ),
        "prefix": column("str", meaning="Text that the model is given."),
        "continuation": column("str", meaning="True text that follows."),
        "decoded": column("str", meaning="Greedy continuation."),
    }


RECITED = Schema("recited", _recited)
