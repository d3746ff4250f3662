"""What of the user's own text the model recites, or nearly so (not in the paper)."""

from memloc.tables.columns import NLL, Column, Columns, integer, words
from memloc.tables.schema import Lengths


def recited(lengths: Lengths) -> Columns:
    of_continuation = {"high": lengths.continuation, "unit": "tokens"}
    return {
        "file": words(meaning="File of text."),
        "document": integer(0, unit="from 0", meaning="Document with text in its file."),
        "start": integer(0, unit="from 0", meaning="First token of the passage in the document."),
        "end": integer(0, unit="from 0", meaning="Token that follows the passage."),
        "n_windows": integer(1, meaning="Paragraphs that overlap, and make up the passage."),
        "verbatim_run": integer(
            0,
            unit="tokens",
            meaning="Longest run that continuations of its recited paragraphs cover; 0 without any.",
        ),
        "id": integer(
            0, meaning="Its first paragraph with the fewest edits, which the columns that follow are of."
        ),
        "count": integer(0, unit="occurrences", meaning="How often the paragraph occurs in the text."),
        "em": integer(0, **of_continuation, meaning="Exact match: leading tokens that the model predicts."),
        "nll": NLL,
        "n_edits": integer(
            0, **of_continuation, meaning="Tokens to insert, delete or replace in the greedy continuation."
        ),
        "longest_run": integer(
            0, **of_continuation, meaning="Longest run of tokens that both continuations have in common."
        ),
        "text": Column("str", meaning="Text of the whole passage."),
        "prefix": Column("str", meaning="Text that the model is given."),
        "continuation": Column("str", meaning="True text that follows."),
        "decoded": Column("str", meaning="Greedy continuation."),
    }
