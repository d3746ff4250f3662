"""Copies of paragraphs that differ in a few tokens (fuzzy duplicates, 2405.15523), and runs that are shared.

Two texts of one length that differ in k edits (tokens inserted, deleted or replaced) share most of their
n-grams, at nearly the same offsets. So candidates come from n-grams, and no near-copy is missed (the q-gram
lemma of Ukkonen, 1992); the edit distance decides.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Int
from rapidfuzz.distance import Levenshtein

from memloc.data.own_text import BLOCK, END, window_hashes
from memloc.tables.terms.near_copies import NESTED, SEARCHED, WRITTEN

NEAR = 0.1  # share of its tokens that a near-copy may differ in
N = 6  # tokens of an n-gram

Found = tuple[Int[np.ndarray, "place"], Int[np.ndarray, "place"]]
"""Places of a paragraph's near-copies in order, and how many tokens of each are edited."""


def near_counts(
    paragraphs: Int[np.ndarray, "paragraph token"], text: Int[np.ndarray, "token"]
) -> Int[np.ndarray, "paragraph"]:
    """How often each paragraph occurs in the text with at most a tenth of its tokens edited; see `apart`."""
    length = paragraphs.shape[1]
    return np.array([len(apart(near, length)) for near, _ in near_copies(paragraphs, text)], dtype=np.int64)


def near_copies(
    paragraphs: Int[np.ndarray, "paragraph token"], text: Int[np.ndarray, "token"]
) -> Iterator[Found]:
    """The near-copies of each paragraph.

    A near-copy is a stretch of as many tokens, at any offset, with at most a tenth of the tokens edited.
    """
    length = paragraphs.shape[1]
    n_edits, words = int(NEAR * length), _characters(text)
    for own, places in zip(map(_characters, paragraphs), _candidates(paragraphs, text), strict=True):
        edits = [Levenshtein.distance(own, words[at : at + length], score_cutoff=n_edits) for at in places]
        found, edited = np.array(places, dtype=np.int64), np.array(edits, dtype=np.int64)
        yield found[edited <= n_edits], edited[edited <= n_edits]


def _characters(tokens: Int[np.ndarray, "token"]) -> str:
    """A character per token: rapidfuzz compares strings in a third of the time that lists take."""
    return "".join(map(chr, (tokens - END).tolist()))


def apart(places: Int[np.ndarray, "place"], length: int) -> list[int]:
    """The stretches that do not overlap: from left to right, the first one that fits. No choice has more."""
    chosen: list[int] = []
    for place in places.tolist():
        if not chosen or place >= chosen[-1] + length:
            chosen.append(place)
    return chosen


def copies(paragraphs: pd.DataFrame, found: Sequence[Found], stream: pd.DataFrame) -> pd.DataFrame:
    """Rows of table `near_copies`, without the chances: copies of each paragraph in the training text.

    Args:
        paragraphs: id and tokens.
        found: the near-copies of each in the text of the stream.
        stream: table `training_stream`. Where documents are copies of one paragraph (`id`), replaced tokens
            are counted in place of edited ones, and as many as half of them may be.
    """
    tokens = paragraphs.set_index("id")["tokens"]
    length = len(tokens.iloc[0])
    searched = [share * length // 100 for share in SEARCHED]  # tokens
    counts = [[len(apart(near[edits <= n], length)) for n in searched] for near, edits in found]
    frame = pd.DataFrame(counts, index=tokens.index, columns=NESTED[: len(SEARCHED)])
    written = stream[stream["id"].isin(paragraphs["id"])].astype({"id": "int64"})
    replaced = written["tokens"].combine(written["id"].map(tokens), lambda *both: np.not_equal(*both).mean())
    for share in WRITTEN:
        far = written["id"][(replaced > NEAR) & (replaced <= share / 100)].value_counts()
        both = frame["within_10"].add(far, fill_value=0).astype("Int64")
        frame[f"within_{share}"] = both if len(written) else pd.array([pd.NA] * len(frame), "Int64")
    return frame.reset_index()


def _candidates(
    paragraphs: Int[np.ndarray, "paragraph token"], text: Int[np.ndarray, "token"]
) -> Iterator[list[int]]:
    """For each paragraph the places, in order, that share enough n-grams with it to be a near-copy.

    Stretches of one length have as many tokens inserted as deleted, so the n-grams that they share are moved
    by half of the edits at most.
    """
    length = paragraphs.shape[1]
    n_edits = int(NEAR * length)
    n_shared, moved = max(1, length - N + 1 - N * n_edits), n_edits // 2
    hashes = window_hashes(text, N)
    order = np.argsort(hashes, kind="stable")
    hashes = hashes[order]
    for own in paragraphs:
        some, end = (np.searchsorted(hashes, window_hashes(own, N), side) for side in ("left", "right"))
        n_hits = end - some
        hits = np.repeat(end - np.cumsum(n_hits), n_hits) + np.arange(n_hits.sum())
        begins = np.sort(order[hits] - np.repeat(np.arange(len(n_hits)), n_hits))
        last = begins[n_shared - 1 :]
        first = begins[: len(last)]
        furthest = np.diff(last, append=len(text)) > 0  # of equal ones
        close = furthest & (last - first <= 2 * moved)
        places = last[close, None] - moved + np.arange(2 * moved + 1)
        places = np.unique(places[places <= first[close, None] + moved])
        yield places[(places >= 0) & (places <= len(text) - length)].tolist()


def longest_runs(
    paragraphs: Int[np.ndarray, "paragraph token"], text: Int[np.ndarray, "token"]
) -> Int[np.ndarray, "paragraph"]:
    """Tokens of the longest run of each paragraph that the text holds, too, at any two offsets (exact).

    Among windows of the text in order, a run's longest match is a neighbour of the text that begins with it.
    """
    n, length = paragraphs.shape
    padded = np.pad(paragraphs, ((0, 0), (0, length)), constant_values=-2)
    suffixes = _sortable(np.lib.stride_tricks.sliding_window_view(padded, length, axis=1)[:, :length])
    longest = np.zeros(n * length, dtype=np.int64)
    text = np.pad(text, (0, length), constant_values=-1)
    for start in range(0, len(text) - length, BLOCK):
        part = text[start : start + BLOCK + length - 1]
        windows = np.sort(_sortable(np.lib.stride_tricks.sliding_window_view(part, length)))
        at = np.searchsorted(windows, suffixes)
        for beside in (np.maximum(at - 1, 0), np.minimum(at, len(windows) - 1)):
            longest = np.maximum(longest, _agreement(suffixes, windows[beside], length))
    return longest.reshape(n, length).max(axis=1)


def _sortable(windows: Int[np.ndarray, "*row token"]) -> np.ndarray:
    """Rows as strings of bytes, which sort as their tokens do."""
    length = windows.shape[-1]
    return (windows + 2).astype(">u4").reshape(-1, length).view(f"S{4 * length}")[:, 0]


def _agreement(some: np.ndarray, others: np.ndarray, length: int) -> Int[np.ndarray, "row"]:
    """Leading tokens that two rows of strings have in common; padding (0) agrees with nothing."""
    one, other = (np.ascontiguousarray(each).view(">u4").reshape(-1, length) for each in (some, others))
    differs = np.pad((one != other) | (one == 0), ((0, 0), (0, 1)), constant_values=True)
    return differs.argmax(axis=1)
