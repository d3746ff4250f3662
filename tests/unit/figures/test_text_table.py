"""Text of many rows of tokens, against one row at a time."""

import pandas as pd

from memloc.figures.parts.text_table import join_tokens, joined_rows


def test_many_rows_are_joined_as_one_is():
    vocabulary = pd.Series({0: "a", 7: " b", 3: "\n"})
    rows = [[0, 7, 3, 0], [], [7, 7]]
    assert joined_rows(rows, vocabulary) == [join_tokens(row, vocabulary) for row in rows]
    assert joined_rows(rows, vocabulary) == ["a b\na", "", " b b"]
