"""Counts in indexes take the place of those of the data, and nothing else does."""

import pandas as pd

from memloc.data.exposure import counted, exposure


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


def test_exposure_is_the_count_where_continuations_are_not_counted():
    frame = pd.DataFrame({"count": [3, 4], "continuation_count": pd.array([5, None], "Int64")})
    assert exposure(frame).tolist() == [5, 4]
    assert exposure(frame.assign(continuation_count=None)).tolist() == [3, 4]
