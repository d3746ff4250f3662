"""Text of many rows of tokens, against one row at a time."""

import pandas as pd
import pytest

from memloc.figures.parts.text_table import (
    CHARACTER_WIDTH,
    LINE_HEIGHT,
    Piece,
    draw_table,
    join_tokens,
    joined_rows,
    run_texts,
    wrap,
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


def test_every_column_is_on_the_page_and_apart_from_the_next():
    rows = [[[Piece(letter * 30, "black")] for letter in letters] for letters in ("abc", "def")]
    figure = draw_table(("first", "second", "third"), rows, (8, 30, 12))
    renderer = figure.canvas.get_renderer()
    below = next(text for text in figure.axes[0].texts if text.get_text() == "d" * 8)
    boxes = {text.get_text(): text.get_window_extent(renderer) for text in figure.axes[0].texts}
    first, second, third = (boxes[letter * n] for letter, n in zip("abc", (8, 30, 12), strict=True))
    assert 0 < first.x0 < first.x1 < second.x0 < second.x1 < third.x0
    assert third.x1 < figure.bbox.width
    assert below.get_window_extent(renderer).y1 < boxes["a" * 6].y0  # the last line of the row above
    for title, column in (("first", first), ("second", second), ("third", third)):
        assert boxes[title].x0 == pytest.approx(column.x0, abs=2) and boxes[title].y0 > column.y1


def test_pieces_of_a_line_follow_each_other_and_lines_are_a_line_apart():
    figure = draw_table(("text",), [[[Piece("ab", "black"), Piece("cd", "red")]]], (3,))
    (left, top), *others = (text.get_position() for text in figure.axes[0].texts[1:])
    assert others == [
        pytest.approx(place) for place in ((left + 2 * CHARACTER_WIDTH, top), (left, top + LINE_HEIGHT))
    ]


def test_lines_break_at_spaces_and_within_words_only_where_these_are_longer_than_a_line():
    cell = [Piece("one tw", "black"), Piece("o threefold", "red"), Piece(" four\nfive", "blue", True)]
    lines = ["".join(piece.text for piece in line) for line in wrap(cell, 8)]
    assert lines == ["one two ", "threefol", "d\u2423four\u21b5", "five"]


def test_marked_pieces_keep_their_spaces_visible_and_are_drawn_below_their_neighbours():
    lines = wrap([Piece("a b", "black"), Piece(" cd", "red", marked=True)], 4)
    assert lines == [[Piece("a b", "black"), Piece("\u2423", "red", True)], [Piece("cd", "red", True)]]
    figure = draw_table(("x",), [[[Piece("ab", "black"), Piece("cd", "#c8102e", marked=True)]]], (10,))
    plain, marked = figure.axes[0].texts[1:]
    assert marked.get_bbox_patch() is not None and plain.get_bbox_patch() is None
    assert marked.get_zorder() < plain.get_zorder() and marked.get_color() == "#c8102e"
