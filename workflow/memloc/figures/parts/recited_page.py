"""Recited passages as a page that opens from disk: what is recited is highlighted, what was given is not."""

from collections.abc import Iterator
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from memloc.figures.parts.text_table import join_tokens
from memloc.scoring.near_verbatim import marked
from memloc.scoring.passages import place

LEFT_OUT = "\u2026"
N_PASSAGES = 500  # of each kind; the CSV holds all
# Nothing of the text is run or fetched, whatever it holds.
TOP = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>What the model recites of this text</title>
<style>
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem }
pre { font-size: 14px; white-space: pre-wrap; overflow-wrap: anywhere }
mark { color: inherit; background: light-dark(#f9c8d0, #7a1626) }
ins { background: light-dark(#dbe6f5, #27405f) }
</style>
<h1>What the model recites of this text</h1>
"""
GIVEN = "The model was given all words but the highlighted ones."


def recited_page(
    said: str, found: pd.DataFrame, vocabulary: pd.Series, length: int, n_prefix: int, model: str | None
) -> str:
    """The page as HTML.

    Args:
        said: what is recited, in a sentence.
        found: passages as `passages` has them, in the order of the page; tokens of `prefix`, `continuation`
            and `decoded`; of a recited one (no edits) its text is shown, of others the model's words, too.
        vocabulary: text of each token.
        model: its name.
    """
    parts = [TOP, *(f"<p>{shown(text)}</p>\n" for text in (said, f"Model: {model}", GIVEN))]
    for _, rows in found.groupby(found["n_edits"] > 0):
        parts += (_passage(row, vocabulary, length, n_prefix) for row in rows.head(N_PASSAGES).itertuples())
        if len(rows) > N_PASSAGES:
            parts.append(f"<p>And {len(rows) - N_PASSAGES:,} more: recited.csv lists all.</p>\n")
    return "".join([*parts, "</html>\n"])


def _passage(row: Any, vocabulary: pd.Series, length: int, n_prefix: int) -> str:
    """A passage with its place; runs of tokens in tags."""
    stands = f"{place(row)} (tokens {row.start} to {row.end - 1} of its document)"
    if row.n_edits:
        given = shown(join_tokens(row.prefix, vocabulary))
        true = shown(join_tokens(row.continuation, vocabulary))
        decoded = "".join(
            f"<ins>{text}</ins>" if differs else f"<mark>{text}</mark>"
            for tokens, differs in marked(list(row.decoded), list(row.continuation))
            for text in [shown(join_tokens(tokens, vocabulary)) or LEFT_OUT]
        )
        heading = f"{row.n_edits} edit{'s' * (row.n_edits > 1)} from recited"
        texts = [given + decoded, given + true]
    else:
        heading = f"{row.verbatim_run} tokens recited"
        texts = ["".join(_runs(row, vocabulary, length, n_prefix))]
    shown_texts = "<p>The text itself:</p>\n".join(f"<pre>\n{text}</pre>\n" for text in texts)
    return f"<h2>{heading}</h2>\n<p>{shown(stands)}</p>\n{shown_texts}"


def _runs(row: Any, vocabulary: pd.Series, length: int, n_prefix: int) -> Iterator[str]:
    """The text of a recited passage; in the continuation of any of its windows it is highlighted."""
    recited = np.zeros(len(row.tokens), dtype=bool)
    for start in row.starts:
        recited[start - row.start + n_prefix : start - row.start + length] = True
    edges = [0, *(np.flatnonzero(np.diff(recited)) + 1), len(recited)]
    for first, last in zip(edges, edges[1:], strict=False):
        text = shown(join_tokens(row.tokens[first:last], vocabulary))
        yield f"<mark>{text}</mark>" if recited[first] else text


def shown(text: str) -> str:
    """Text for HTML; what is neither printable nor space or line end, such as marks that turn the direction
    of text, is written as its code.
    """
    return escape("".join(c if c.isprintable() or c in "\n\t" else f"\\u{ord(c):04x}" for c in text))
