"""What of the user's own text the model recites, or nearly so (not in the paper)."""

from memloc.tables.columns import NLL, Column, Columns, integer
from memloc.tables.schema import Lengths, Schema


def _recited(lengths: Lengths) -> Columns:
    of_continuation = {"high": lengths.continuation, "unit": "tokens"}
    return {
        "id": integer(0, unique=True, meaning="Paragraph."),
        "count": integer(0, unit="occurrences", meaning="How often the paragraph occurs in the text."),
        "em": integer(0, **of_continuation, meaning="Exact match: leading tokens that the model predicts."),
        "nll": NLL,
        "n_edits": integer(
            0, **of_continuation, meaning="Tokens to insert, delete or replace in the greedy continuation."
        ),
        "longest_run": integer(
            0, **of_continuation, meaning="Longest run of tokens that both continuations have in common."
        ),
        "prefix": Column("str", meaning="Text that the model is given."),
        "continuation": Column("str", meaning="True text that follows."),
        "decoded": Column("str", meaning="Greedy continuation."),
    }


RECITED = Schema("recited", _recited)
