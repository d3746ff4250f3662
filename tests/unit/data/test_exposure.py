"""Counts in indexes take the place of those of the data, and pairs of equal counts are compared."""

import pandas as pd

from memloc.data.exposure import counted, exposure, paired_differences


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


def test_pairs_are_compared_whatever_the_order_of_their_paragraphs():
    sets = pd.DataFrame(
        {"id": [5, 6, 7, 8, 9], "set": ["partly_11_29", "memorized", "memorized", "unseen", "non_memorized"]}
    )
    sets["pair"] = pd.array([1, 0, 1, None, 0], "Int64")
    values = pd.Series([1.0, 10.0, 100.0, 1000.0, 1e4], index=[9, 8, 7, 6, 5])
    assert paired_differences(values, sets).to_dict() == {0: 1000 - 1, 1: 100 - 1e4}
    assert paired_differences(values.drop(9), sets).to_dict() == {1: 100 - 1e4}
    both = paired_differences(values.to_frame("a").assign(b=0.0), sets)
    assert both.to_dict("list") == {"a": [999.0, 100 - 1e4], "b": [0.0, 0.0]} and both.index.name == "pair"
    assert paired_differences(values, sets.assign(pair=pd.array([None] * 5, "Int64"))).empty
