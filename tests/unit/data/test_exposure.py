"""Exposure: how often a continuation occurs in the training stream."""

import numpy as np
import pandas as pd
import pytest

from memloc.data import own_text
from memloc.data.exposure import continuation_counts, exposure


def counted(rows, repeats, n_prefix):
    """Every window of every row, one after the other."""
    length = len(rows[0]) - n_prefix
    return [
        sum(
            n
            for other, n in zip(rows.tolist(), repeats, strict=True)
            for start in range(n_prefix + 1)
            if other[start : start + length] == row[n_prefix:]
        )
        for row in rows.tolist()
    ]


@pytest.mark.parametrize("block", [7, 2**18])
@pytest.mark.parametrize("n_prefix", [1, 3, 5])
def test_counts_are_those_of_every_window(monkeypatch, block, n_prefix):
    monkeypatch.setattr(own_text, "BLOCK", block)
    rng = np.random.default_rng(n_prefix)
    rows, repeats = rng.integers(2, size=(30, 6)), rng.integers(1, 5, 30)
    found = continuation_counts(rows, repeats, n_prefix)
    assert found.tolist() == counted(rows, repeats, n_prefix)
    assert (found > repeats).any()


def test_no_continuation_runs_from_one_row_into_the_next():
    rows = np.array([[1, 2, 3, 4], [9, 9, 4, 1], [5, 6, 1, 2]])
    assert continuation_counts(rows, np.array([3, 1, 1]), 2).tolist() == [3, 1, 4]


def test_exposure_is_the_count_where_continuations_are_not_counted():
    frame = pd.DataFrame({"count": [3, 4], "continuation_count": pd.array([5, None], "Int64")})
    assert exposure(frame).tolist() == [5, 4]
    assert exposure(frame.assign(continuation_count=None)).tolist() == [3, 4]
