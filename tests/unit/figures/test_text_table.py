"""Tables of texts."""

import pytest
from drawn import column_of
from figure_labels import clipped_labels, overlapping_labels

from memloc.figures.parts.text_table import draw_table, marked, plain, table_page


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
