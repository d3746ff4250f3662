"""Text of many rows of tokens, against one row at a time, and tables of texts."""

import pandas as pd
import pytest
from drawn_parts import column_of
from figure_labels import clipped_labels, overlapping_labels

from memloc.figures.parts.text_table import (
    draw_table,
    join_tokens,
    joined_rows,
    marked,
    plain,
    run_texts,
    table_page,
)


def test_many_rows_are_joined_as_one_is():
    vocabulary = pd.Series({0: "a", 7: " b", 3: "\n"})
    rows = [[0, 7, 3, 0], [], [7, 7]]
    assert joined_rows(rows, vocabulary) == [join_tokens(row, vocabulary) for row in rows]
    assert joined_rows(rows, vocabulary) == ["a b\na", "", " b b"]


@pytest.mark.parametrize(
    ("runs", "begins", "shown"),
    [
        (["ncy of", " a Beaut", "iful specif"], False, ["\u2026 of", " a Beaut", "iful \u2026"]),
        (["The text", "", "s end."], True, ["The text", "\u2026", "s end."]),
        ([" of", " it"], False, [" of", " \u2026"]),
        (["\u6f22" * 40], False, ["\u6f22" * 40]),
    ],
)
def test_words_that_an_end_cuts_are_left_out(runs, begins, shown):
    letters = pd.Series({ord(letter): letter for letter in "".join(runs)})
    assert run_texts([list(map(ord, run)) for run in runs], letters, begins, False) == shown


def test_what_is_not_printed_has_marks_and_spaces_have_them_where_they_are_marked():
    assert plain("a b\n\x07") == "a b\u21b5\\x07"
    assert marked(" a\n") == "\u27e6\u2423a\u21b5\u27e7"


def test_every_cell_is_whole_on_the_picture_and_apart_from_the_others():
    rows = [[letter * 30 for letter in letters] for letters in ("abc", "def")] + [["one two " * 4, "", "x"]]
    figure = draw_table(("first", "second", "third"), rows, (8, 30, 12))
    assert clipped_labels(figure) == [] and overlapping_labels(figure) == []
    assert column_of(figure, "first") == [row[0] for row in rows]
    assert column_of(figure, "second") == ["b" * 30, "e" * 30]
    (table,) = figure.axes[0].tables
    texts = {place: cell.get_text() for place, cell in table.get_celld().items()}
    assert texts[1, 0].get_text() == "\n".join(["a" * 8] * 3 + ["a" * 6])
    assert texts[3, 0].get_text() == "\n".join(["one two "] * 4)
    tops = [texts[1, column].get_window_extent().y1 for column in range(3)]
    assert tops == pytest.approx([tops[0]] * 3, abs=1), "cells of a row begin at its top"
    fits = [texts[0, column].get_window_extent().x0 for column in range(3)]
    assert fits == pytest.approx([texts[1, column].get_window_extent().x0 for column in range(3)], abs=2)


def test_a_table_without_rows_has_its_header():
    assert column_of(draw_table(("a", "b"), [], (8, 8)), "b") == []
    assert "<th>b</th>" in table_page("None", "tiny", ("a", "b"), [])


def test_the_page_highlights_what_is_marked_and_is_safe_for_any_text():
    cells = [plain("<script>&\u202e" + "long " * 20), plain("b ") + marked(" c")]
    page = table_page("A <title>", "some/<model>", ("x<y", "b"), [cells])
    assert not [text for text in ("<script>", "<model>", "A <title>", "\u202e", "x<y") if text in page]
    assert "&lt;script&gt;&amp;\\x202e" + "long " * 20 in page, "whole"
    assert "<td>b <mark>\u2423c</mark></td>" in page and "Model: some/&lt;model&gt;." in page
