"""Documents packed into the windows that a model is trained on, as in the corpora of real models.

Documents follow one another with end-of-text between them, and this text is cut into windows of the model's
context, whatever the cuts go through. So a paragraph stands at another position, after another text, each
time it occurs. Occurrences of drawn paragraphs that a cut divides are extra: each lies whole in a window as
often as it is to be repeated.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int

from memloc.data.own_text import END, Stream, count_repeats, joined


def packed_order(
    repeats: Int[np.ndarray, "paragraph"], length: int, context: int, rng: np.random.Generator
) -> Int[np.ndarray, "occurrence"]:
    """The paragraph of each occurrence, in random order: `repeats` whole occurrences, and further cut ones.

    `length` and `context` are the tokens of a paragraph and of a window, in which a paragraph fits.
    """
    waiting = rng.permutation(np.repeat(np.arange(len(repeats)), repeats)).tolist()
    order: list[int] = []
    while waiting:
        paragraph = waiting.pop()
        if len(order) * (length + 1) % context > context - length:
            waiting.insert(int(rng.integers(len(waiting) + 1)), paragraph)
        order.append(paragraph)
    return np.array(order, dtype=np.int64)


def places(n: int, length: int) -> Int[np.ndarray, "occurrence"]:
    """Where each of n occurrences begins in the text, in tokens: end-of-text follows each."""
    return np.arange(n) * (length + 1)


def are_whole(
    places: Int[np.ndarray, "occurrence"], length: int, context: int
) -> Bool[np.ndarray, "occurrence"]:
    """Which of the occurrences that begin at these places lie within one window."""
    return places % context <= context - length


def windows(
    documents: Sequence[Int[np.ndarray, "token"]], end_of_text: int, context: int
) -> Int[np.ndarray, "window position"]:
    """The text of the documents, cut into windows; end-of-text fills the rest of the last one."""
    text = np.concatenate([np.append(document, end_of_text) for document in documents]).astype(np.int64)
    missing = -len(text) % context
    return np.pad(text, (0, missing), constant_values=end_of_text).reshape(-1, context)


def windows_without(
    stream: pd.DataFrame, left_out: Bool[np.ndarray, "token"], end_of_text: int, context: int
) -> Int[np.ndarray, "window position"]:
    """The windows of table `training_stream` without some tokens of its text, in which END follows documents.

    The others keep their order, and are packed anew, with one end-of-text where some are left out. A window
    may cut an occurrence that lay whole before, and the other way around.
    """
    text = np.where(left_out, END, joined(stream["tokens"], 1).tokens)
    ends = text == END
    kept = text[~ends | ~np.append(True, ends[:-1])][:-1]
    return windows([np.where(kept == END, end_of_text, kept)], end_of_text, context)


def occurrences(
    windows: Int[np.ndarray, "window position"], starts: Int[np.ndarray, "run"], length: int
) -> Int[np.ndarray, "run"]:
    """How often each run of `length` tokens occurs in the windows, at any offset.

    `starts` is the place of one whole occurrence of each run, counted over all windows one after the other.
    """
    ended = np.pad(windows, ((0, 0), (0, 1)), constant_values=END).ravel()
    order, counts = np.argsort(starts), np.empty(len(starts), dtype=np.int64)
    places = starts[order] + starts[order] // windows.shape[1]  # every window before it has got an END
    counts[order] = count_repeats(Stream(ended, places, length))
    return counts
