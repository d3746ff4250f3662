"""Passages: the text that overlapping recited windows cover together.

A window is recited if the model continues its prefix with exactly its continuation. Each window is scored
from its own start. Two overlapping windows therefore show only that every token of both continuations is
recited, each after its own prefix.
"""

from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int

from memloc.data.documents import PLAIN

PLACE = ["file", "document", "start"]


def place(row: Any) -> str:
    """File and line where a window or passage begins, for a reader who looks it up.

    A file of rows has a document per row, with lines of its own. Both count from 1, unlike in tables.
    """
    document = "" if row.file.endswith(PLAIN) else f", document {row.document + 1}"
    return f"{row.file}{document}, line {row.line}"


def nearest_decoded(decoded: pd.DataFrame, places: pd.DataFrame) -> Any:
    """The decoded paragraph with the fewest edits, with its place; of several, the first in the text."""
    found = places.merge(decoded[["id", "n_edits"]], on="id").sort_values(["n_edits", *PLACE])
    return next(found.itertuples())


def chains(windows: pd.DataFrame, most: int) -> pd.Series:
    """Number of each window's chain, from 1.

    In a chain, windows of one document begin at most `most` tokens after the window before. `windows` are in
    the order of `PLACE`.
    """
    document = windows[PLACE[:2]]
    apart = (document != document.shift()).any(axis=1) | (windows["start"].diff() > most)
    return apart.cumsum()


def without_neighbours(windows: pd.DataFrame, length: int) -> pd.DataFrame:
    """The windows without the nearly recited ones that a chain of overlaps joins to a recited one.

    Such windows only begin elsewhere, and would blur the recited passage. `windows` have `n_edits`.
    """
    recited = windows["n_edits"] == 0
    return windows[recited | ~recited.groupby(chains(windows, length - 1)).transform("any")]


def passages(windows: pd.DataFrame, length: int, n_prefix: int) -> pd.DataFrame:
    """Join windows that overlap into passages.

    Args:
        windows: windows of `length` tokens in the order of `PLACE`, with `tokens` and `n_edits`. The windows
            of one passage are all recited (0 edits), or all nearly so (`without_neighbours`).

    Returns:
        A row per passage, in the same order, with the columns of its first window with the fewest edits.
        `start`, `line`, `end` (behind the last token) and `tokens` are the passage's. `starts` has the starts
        of its `n_windows` windows. `verbatim_run` is the most tokens in a row that continuations of recited
        windows cover; 0 without any.
    """
    n_continuation = length - n_prefix
    windows = windows.assign(passage=chains(windows, length - 1), run=chains(windows, n_continuation))
    starts = windows.groupby("run")["start"]
    run = starts.transform("last") - starts.transform("first") + n_continuation
    windows = windows.assign(verbatim_run=run.where(windows["n_edits"] == 0, 0))
    grouped = windows.groupby("passage")
    best = windows.sort_values(["passage", "n_edits"], kind="stable").drop_duplicates("passage")
    found = best.drop(columns="run").set_index("passage")
    return found.assign(
        start=grouped["start"].first(),
        line=grouped["line"].first(),
        end=grouped["start"].last() + length,
        tokens=_joined_tokens(windows, length),
        starts=grouped["start"].agg(list),
        n_windows=grouped.size(),
        verbatim_run=grouped["verbatim_run"].max(),
    ).reset_index(drop=True)


def _joined_tokens(windows: pd.DataFrame, length: int) -> list[Int[np.ndarray, "token"]]:
    """Tokens of each passage: each window gives the tokens before the next window, the last one gives all."""
    step = windows["start"].diff().shift(-1)
    last = windows["passage"] != windows["passage"].shift(-1)
    n_own = step.where(~last, length).astype(int)
    own = [tokens[:n] for tokens, n in zip(windows["tokens"], n_own, strict=True)]
    ends = n_own.groupby(windows["passage"]).sum().cumsum()
    return np.split(np.concatenate(own), ends[:-1]) if own else []
