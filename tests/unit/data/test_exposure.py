"""Exposure: how often a continuation occurs in the training stream."""

import numpy as np
import pandas as pd
import pytest

from memloc.data import own_text
from memloc.data.exposure import continuation_counts, counted, exposure


def slow_counts(rows, repeats, n_prefix):
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
    assert found.tolist() == slow_counts(rows, repeats, n_prefix)
    assert (found > repeats).any()


def test_no_continuation_runs_from_one_row_into_the_next():
    rows = np.array([[1, 2, 3, 4], [9, 9, 4, 1], [5, 6, 1, 2]])
    assert continuation_counts(rows, np.array([3, 1, 1]), 2).tolist() == [3, 1, 4]


def test_exposure_is_the_count_where_continuations_are_not_counted():
    frame = pd.DataFrame({"count": [3, 4], "continuation_count": pd.array([5, None], "Int64")})
    assert exposure(frame).tolist() == [5, 4]
    assert exposure(frame.assign(continuation_count=None)).tolist() == [3, 4]


def test_counts_in_indexes_take_the_place_of_those_of_the_data():
    paragraphs = pd.DataFrame(
        {"id": [7, 3], "count": [1, 2], "continuation_count": [None, None], "text": list("ab")}
    )
    assert counted({"paragraphs": paragraphs}) is paragraphs
    index = pd.DataFrame(
        {"id": [3, 7], "count": [0, 40], "prefix_count": [9, 9], "continuation_count": [5, 41]}
    )
    found = counted({"paragraphs": paragraphs, "exposure": index})
    assert found.set_index("id").loc[[7, 3], ["count", "continuation_count"]].to_numpy().tolist() == [
        [40, 41],
        [0, 5],
    ]
    assert found["id"].tolist() == [7, 3] and found["text"].tolist() == ["a", "b"]
    assert exposure(found).tolist() == [41, 5]


def test_each_model_has_its_own_counts():
    ids = pd.DataFrame({"model": list("xxyy"), "id": [0, 1, 0, 1]})
    paragraphs = ids.assign(count=1, continuation_count=1)
    index = ids.assign(count=0, continuation_count=[4, 5, 6, 7])
    found = counted({"paragraphs": paragraphs, "exposure": index})
    assert found["continuation_count"].tolist() == [4, 5, 6, 7] and len(found) == 4
