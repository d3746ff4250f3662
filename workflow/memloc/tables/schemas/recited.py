"""Passages of the text that the model recites, or nearly so (not in the paper)."""

from memloc.tables.columns import NLL, Column, Columns, Lengths, integer, n_tokens
from memloc.tables.schemas.paragraphs import places


def recited(lengths: Lengths) -> Columns:
    n, place = lengths.continuation, places(lengths)
    return {
        "file": place["file"],
        "document": place["document"],
        "start": integer(0, unit="from 0", meaning="First token of the passage in the document."),
        "line": place["line"],
        "end": integer(0, unit="from 0", meaning="Token that follows the passage."),
        "n_windows": integer(1, meaning="Overlapping paragraphs that make up the passage."),
        "verbatim_run": integer(
            0,
            unit="tokens",
            meaning="Longest run that continuations of its recited paragraphs cover; 0 without any.",
        ),
        "id": integer(
            0,
            meaning="Its first paragraph with the fewest edits; the columns from here on describe it, except "
            "`text`.",
        ),
        "count": integer(0, unit="occurrences", meaning="How often the paragraph occurs in the text."),
        "em": n_tokens(n, meaning="Exact match: leading tokens that the model predicts."),
        "nll": NLL,
        "n_edits": n_tokens(n, meaning="Tokens to insert, delete or replace in the greedy continuation."),
        "longest_run": n_tokens(n, meaning="Longest run of tokens that both continuations have in common."),
        "text": Column("str", meaning="Text of the whole passage."),
        "prefix": Column("str", meaning="Text that the model is given."),
        "continuation": Column("str", meaning="True text that follows."),
        "decoded": Column("str", meaning="Greedy continuation."),
    }
