"""How often a model saw a continuation in training, and the number of repeats that analyses use.

A paragraph's continuation may also occur in other paragraphs, at other offsets: texts share passages. Each
occurrence of a paragraph is one row of the training stream, and no text runs from one row into the next.
"""

import numpy as np
import pandas as pd
from jaxtyping import Int

from memloc.data.own_text import END, Stream, count_repeats


def continuation_counts(
    rows: Int[np.ndarray, "paragraph token"], repeats: Int[np.ndarray, "paragraph"], n_prefix: int
) -> Int[np.ndarray, "paragraph"]:
    """How often the tokens after the prefix of each row occur in all rows, at any offset (exact).

    Every row counts as often as it is repeated.
    """
    length = rows.shape[1] + 1
    stream = np.repeat(np.pad(rows, ((0, 0), (0, 1)), constant_values=END), repeats, axis=0)
    starts = (np.cumsum(repeats) - repeats) * length + n_prefix
    return count_repeats(Stream(stream.ravel(), starts, rows.shape[1] - n_prefix))


def exposure(paragraphs: pd.DataFrame) -> pd.Series:
    """Occurrences of each continuation, or of each whole paragraph where continuations are not counted."""
    return paragraphs["continuation_count"].fillna(paragraphs["count"]).astype("int64")
