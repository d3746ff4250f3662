"""Kinds of recited paragraphs (2406.17746): reconstructed, recited for their copies, or recollected.

What a rule gets without having seen the paragraph is no sign of memory. Two rules are tried: the continuation
goes on with lines of the prefix (a template, or a count), or the n-grams of other files lead through it.
"""

from collections.abc import Sequence
from itertools import takewhile
from os.path import commonprefix

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int

from memloc.data.halves import within
from memloc.data.near_copies import Found
from memloc.data.own_text import joined, window_hashes
from memloc.tables.terms.near_copies import RECITATION, RECOLLECTION, RECONSTRUCTION

FIELD = 3  # tokens of a line that may differ from the line that it repeats
SHORTEST = 4  # tokens that a line has in common with one that it repeats
CONTEXTS = (24, 16, 12, 9, 7, 5, 4, 3, 2, 1)  # tokens that the n-gram model looks back, longest first
TEMPLATE = 0.9  # share of a continuation that repeats lines, in a template
MANY = 6  # copies of a paragraph that is recited for them (2406.17746: more than five)


def kind_of(reconstructed: pd.Series, copies: pd.Series) -> pd.Series:
    """Kind of each recited paragraph, by whether it comes out of what never saw it, and its exact copies."""
    kind = np.select([reconstructed, copies >= MANY], [RECONSTRUCTION, RECITATION], RECOLLECTION)
    return pd.Series(kind, reconstructed.index)


def by_rule(evidence: pd.DataFrame, n_continuation: int) -> pd.Series:
    """Whether a rule gets each paragraph, by its evidence (`template`, `ngram_em`)."""
    return (evidence["template"] >= TEMPLATE) | (evidence["ngram_em"] == n_continuation)


def template_share(
    tokens: Int[np.ndarray, "token"], n_prefix: int, breaks: Bool[np.ndarray, "vocabulary"]
) -> float:
    """Share of the continuation's tokens that lie in lines which repeat an earlier line of the paragraph.

    A line repeats another one if they differ in one field alone: at most `FIELD` tokens of either, wherever
    they are, such as a name or a number that counts up. The last line may be cut.

    Args:
        breaks: of each token of the vocabulary, whether it ends a line.
    """
    lines = [line.tolist() for line in np.split(tokens, np.flatnonzero(breaks[tokens]) + 1)]
    end = found = 0
    for number, line in enumerate(lines):
        end += len(line)
        cut = len(line) if number == len(lines) - 1 else None
        if any(_repeats(line, other[:cut]) for other in lines[:number]):
            found += min(len(line), max(end - n_prefix, 0))
    return found / (len(tokens) - n_prefix)


def _repeats(line: list[int], other: list[int]) -> bool:
    begins = len(commonprefix([line, other]))
    both = begins + len(commonprefix([line[begins:][::-1], other[begins:][::-1]]))
    return both >= SHORTEST and max(len(line), len(other)) - both <= FIELD


class NGrams:
    """A back-off model of a text: the token that most often follows the longest context that occurs in it."""

    def __init__(self, text: Int[np.ndarray, "token"]) -> None:
        self.text, self.places = text, {}
        for n in CONTEXTS:
            hashes = window_hashes(text[:-1], n)
            order = np.argsort(hashes, kind="stable")
            self.places[n] = hashes[order], order

    def next(self, before: Int[np.ndarray, "token"], left_out: Bool[np.ndarray, "token"]) -> int:
        """The token that most often follows; of equally frequent ones, the smallest; -1 if none does."""
        for n in (n for n in CONTEXTS if n <= len(before)):
            hashes, order = self.places[n]
            own = window_hashes(before[-n:], n)[0]
            first, last = (np.searchsorted(hashes, own, side=side) for side in ("left", "right"))
            follows = order[first:last] + n
            follows = self.text[follows[~left_out[follows]]]
            follows = follows[follows >= 0]
            if len(follows):
                return int(np.bincount(follows).argmax())
        return -1


def evidence(
    paragraphs: pd.DataFrame,
    found: Sequence[Found],
    stream: pd.DataFrame,
    n_prefix: int,
    breaks: Bool[np.ndarray, "vocabulary"],
) -> pd.DataFrame:
    """What both rules get of each paragraph: columns `template` and `ngram_em`.

    The n-grams are those of the training text without the paragraph's own file and near-copies.

    Args:
        paragraphs: id, file and tokens.
        found: the near-copies of each in that text.
        stream: table `training_stream`.
    """
    if paragraphs.empty:
        return pd.DataFrame({"template": [], "ngram_em": []}, paragraphs.index)
    length = len(paragraphs["tokens"].iloc[0])
    model = NGrams(joined(stream["tokens"], length).tokens)
    document = np.repeat(np.arange(len(stream)), stream["tokens"].map(len) + 1)
    rows = []
    for own, (places, _) in zip(paragraphs.itertuples(), found, strict=True):
        same = (stream["file"] == own.file) | (stream["id"] == own.id).fillna(False)
        left_out = same.to_numpy(bool)[document] | within(places, len(document), length)
        got = (model.next(own.tokens[:at], left_out) == own.tokens[at] for at in range(n_prefix, length))
        share = template_share(own.tokens, n_prefix, breaks)
        rows.append((share, sum(1 for _ in takewhile(bool, got))))
    return pd.DataFrame(rows, columns=["template", "ngram_em"], index=paragraphs.index)
