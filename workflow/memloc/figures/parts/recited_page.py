"""Recited passages as a page that opens from disk: what is recited is highlighted, what was given is not."""

from collections.abc import Sequence
from html import escape
from typing import Any

import pandas as pd

from memloc.figures.parts.text_table import PAGE
from memloc.scoring.passages import place

N_PASSAGES = 500  # the CSV holds all
TITLE = "What the model recites of this text"
GIVEN = (
    "The model was given the words before the highlighted ones. It wrote the highlighted words itself, as "
    "they stand in the text."
)


def recited_page(told: Sequence[str], found: pd.DataFrame) -> str:
    """The page as HTML: sentences, and the passages of a figure, in their order."""
    parts = [*(f"<p>{shown(text)}</p>\n" for text in [*told, *[GIVEN] * bool(len(found))])]
    parts += map(_passage, found.head(N_PASSAGES).itertuples())
    if len(found) > N_PASSAGES:
        parts.append(f"<p>And {len(found) - N_PASSAGES:,} more: recited.csv lists all.</p>\n")
    return PAGE.format(title=TITLE, content="".join(parts))


def _passage(row: Any) -> str:
    """A passage with its place."""
    once = f", {row.at_once} of them in one go" if row.at_once < row.tokens else ""
    stands = f"{place(row)} (tokens {row.start + 1} to {row.end} of its document)"
    stands += ": the model cannot have seen this text" if row.unseen else ""
    texts = f"<pre>\n{shown(row.prefix)}<mark>{shown(row.continuation)}</mark></pre>"
    return f"<h2>{row.tokens} tokens recited{once}</h2>\n<p>{shown(stands)}</p>\n{texts}\n"


def shown(text: str) -> str:
    """Text for HTML. A character that is neither printable nor a tab or line end, such as a mark that turns
    the direction of text, is written as its code.
    """
    return escape("".join(c if c.isprintable() or c in "\n\t" else f"\\u{ord(c):04x}" for c in text))
