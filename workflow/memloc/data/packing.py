"""Paragraphs packed into the windows that a model is trained on, as in the corpora of real models.

Documents follow one another with end-of-text between them, and windows of the model's context are cut from
this text wherever they end. So a paragraph stands at another position, after another text, each time it
occurs. A window's end cuts some occurrences. These are extra: every paragraph lies whole in a window as often
as it is to be repeated.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int

from memloc.data.own_text import END, Stream, count_repeats


def packed_order(
    repeats: Int[np.ndarray, "paragraph"], length: int, context: int, rng: np.random.Generator
) -> Int[np.ndarray, "occurrence"]:
    """Which paragraph each occurrence is of, in random order: whole ones as often as repeated, and cut ones.

    `length` and `context` are the tokens of a paragraph and of a window.

    Raises:
        ValueError: no paragraph fits a window.
    """
    if length > context:
        raise ValueError(f"paragraphs of {length} tokens do not fit windows of {context}")
    waiting = rng.permutation(np.repeat(np.arange(len(repeats)), repeats)).tolist()
    order: list[int] = []
    while waiting:
        paragraph = waiting.pop()
        if _place(len(order), length) % context > context - length:
            waiting.insert(int(rng.integers(len(waiting) + 1)), paragraph)
        order.append(paragraph)
    return np.array(order, dtype=np.int64)


def _place(occurrence: int, length: int) -> int:
    """Where an occurrence begins in the text: all have one length, and end-of-text follows each."""
    return occurrence * (length + 1)


def places(n: int, length: int) -> Int[np.ndarray, "occurrence"]:
    """Where each of n occurrences begins in the text, in tokens."""
    return _place(np.arange(n), length)


def are_whole(n: int, length: int, context: int) -> Bool[np.ndarray, "occurrence"]:
    """Which of n occurrences lie within one window."""
    return places(n, length) % context <= context - length


def windows(
    documents: Int[np.ndarray, "occurrence token"], end_of_text: int, context: int
) -> Int[np.ndarray, "window position"]:
    """The text of the occurrences, cut into windows. End-of-text fills up the last one."""
    text = np.pad(documents, ((0, 0), (0, 1)), constant_values=end_of_text).ravel()
    missing = -len(text) % context
    return np.pad(text, (0, missing), constant_values=end_of_text).reshape(-1, context)


def windows_without(
    stream: pd.Series, paragraphs: pd.Series, left_out: Iterable[int], end_of_text: int, context: int
) -> Int[np.ndarray, "window position"]:
    """The windows of a stream (ids of its occurrences) without all occurrences of some paragraphs.

    The others keep their order, and are packed anew. `paragraphs` has the tokens by id. A window may cut an
    occurrence that lay whole before, and the other way around.
    """
    kept = stream[~stream.isin(list(left_out))]
    return windows(np.stack(paragraphs.loc[kept].to_list()), end_of_text, context)


def occurrences(
    windows: Int[np.ndarray, "window position"], starts: Int[np.ndarray, "run"], length: int
) -> Int[np.ndarray, "run"]:
    """How often each run of `length` tokens occurs in the windows, at any offset (exact).

    `starts` says where each run lies whole, in the text of all windows one after the other.
    """
    ended = np.pad(windows, ((0, 0), (0, 1)), constant_values=END).ravel()
    order, counts = np.argsort(starts), np.empty(len(starts), dtype=np.int64)
    places = starts[order] + starts[order] // windows.shape[1]  # an END has come with every window before it
    counts[order] = count_repeats(Stream(ended, places, length))
    return counts
