"""Continuations are counted where they can be, and pairs of equal counts are compared."""

import pandas as pd

from memloc.data.exposure import exposure, paired_differences


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
