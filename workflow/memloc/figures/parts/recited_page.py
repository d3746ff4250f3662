"""Recited passages as a page that opens from disk: what is recited is highlighted, what was given is not."""

from collections.abc import Sequence
from html import escape
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from memloc.figures.parts.text_table import PAGE, run_texts
from memloc.scoring.near_verbatim import marked
from memloc.scoring.passages import place

N_PASSAGES = 500  # of each kind; the CSV holds all
Run = tuple[Sequence[int], str]  # tokens, and the tag that they stand in, if any
TITLE = "What the model recites of this text"
GIVEN = (
    "The model was given the words before the highlighted ones. It wrote the highlighted words itself; the "
    "blue ones differ from the text. An ellipsis at the beginning or end stands for a word that is cut there."
)


def recited_page(
    told: Sequence[str], found: pd.DataFrame, vocabulary: pd.Series, length: int, n_prefix: int
) -> str:
    """The page as HTML.

    Args:
        told: sentences above the passages.
        found: passages as `passages` has them, in the order of the page, with tokens of `prefix`,
            `continuation` and `decoded`. Passages with edits are shown with the model's words, too.
        vocabulary: text of each token.
    """
    parts = [*(f"<p>{shown(text)}</p>\n" for text in [*told, *[GIVEN] * bool(len(found))])]
    for _, rows in found.groupby(found["n_edits"] > 0):
        parts += (_passage(row, vocabulary, length, n_prefix) for row in rows.head(N_PASSAGES).itertuples())
        if len(rows) > N_PASSAGES:
            parts.append(f"<p>And {len(rows) - N_PASSAGES:,} more: recited.csv lists all.</p>\n")
    return PAGE.format(title=TITLE, content="".join(parts))


def _passage(row: Any, vocabulary: pd.Series, length: int, n_prefix: int) -> str:
    """A passage with its place; runs of tokens in tags."""
    stands = f"{place(row)} (tokens {row.start + 1} to {row.end} of its document)"
    if row.n_edits:
        heading = f"{row.n_edits} edit{'s' * (row.n_edits > 1)} from recited"
        wrote = marked(list(row.decoded), list(row.continuation))
        decoded = [(row.prefix, ""), *((tokens, "ins" if differs else "mark") for tokens, differs in wrote)]
        texts = [decoded, [(row.prefix, ""), (row.continuation, "")]]
    else:
        heading = f"{row.verbatim_run} tokens recited"
        texts = [_runs(row, length, n_prefix)]
    tagged = (f"<pre>\n{_tagged(runs, vocabulary, row.start == 0)}</pre>\n" for runs in texts)
    shown_texts = "<p>The text itself:</p>\n".join(tagged)
    return f"<h2>{heading}</h2>\n<p>{shown(stands)}</p>\n{shown_texts}"


def _runs(row: Any, length: int, n_prefix: int) -> list[Run]:
    """The tokens of a recited passage; tokens in the continuation of any of its windows are highlighted."""
    recited = np.zeros(len(row.tokens), dtype=bool)
    for start in row.starts:
        recited[start - row.start + n_prefix : start - row.start + length] = True
    edges = [0, *(np.flatnonzero(np.diff(recited)) + 1), len(recited)]
    return [(row.tokens[first:last], "mark" if recited[first] else "") for first, last in pairwise(edges)]


def _tagged(runs: Sequence[Run], vocabulary: pd.Series, begins: bool) -> str:
    """Runs of tokens in their tags."""
    tokens, tags = zip(*runs, strict=True)
    texts = map(shown, run_texts(tokens, vocabulary, begins, tags[-1] == "ins"))  # differences stay whole
    return "".join(f"<{tag}>{text}</{tag}>" if tag else text for text, tag in zip(texts, tags, strict=True))


def shown(text: str) -> str:
    """Text for HTML. A character that is neither printable nor a tab or line end, such as a mark that turns
    the direction of text, is written as its code.
    """
    return escape("".join(c if c.isprintable() or c in "\n\t" else f"\\u{ord(c):04x}" for c in text))
