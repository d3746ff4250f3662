"""Texts of tokens, and tables of texts: a picture by matplotlib's own table, and a page (HTML)."""

from collections.abc import Sequence
from html import escape
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from memloc.figures.parts.page import PAGE
from memloc.figures.parts.style import VISIBLE, subplots, visible

LINE_HEIGHT = 0.118
FONT_SIZE = 6.0  # points
CHARACTER_WIDTH = 0.602 * FONT_SIZE / 72  # inches: DejaVu Sans Mono advances 0.602 em
COLUMN_GAP = 2  # characters
MARKS = "\u27e6\u27e7"  # around marked text


def plain(text: str) -> str:
    """Text of a cell, with marks for what is not printed, but for spaces."""
    return visible(text).replace(VISIBLE[" "], " ")


def marked(text: str) -> str:
    """Marked text of a cell, whose spaces are visible, too."""
    return visible(text).join(MARKS)


def draw_table(header: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int]) -> Figure:
    """A table of texts; lines break after spaces. `widths` are the columns' characters."""
    cells = [
        [fill(cell, width, drop_whitespace=False) for cell, width in zip(row, widths, strict=True)]
        for row in (header, *rows)
    ]
    n_lines = [1 + max(cell.count("\n") for cell in row) for row in cells]
    # Cells are centred: empty lines at the end move a shorter one up.
    cells = [
        [cell + "\n" * (n - 1 - cell.count("\n")) for cell in row]
        for row, n in zip(cells, n_lines, strict=True)
    ]
    room = np.add(widths, COLUMN_GAP)
    figure, axes = subplots(
        (sum(n_lines) + len(cells)) * LINE_HEIGHT, room.sum() * CHARACTER_WIDTH, layout="none"
    )
    axes.set_position((0, 0, 1, 1))
    axes.axis("off")
    table = axes.table(cells, cellLoc="left", colWidths=room, edges="T", bbox=(0, 0, 1, 1))
    table.auto_set_font_size(False)
    for (row, column), cell in table.get_celld().items():
        cell.PAD = COLUMN_GAP / 2 / room[column]
        cell.set(height=n_lines[row] + 1, edgecolor="0.7", linewidth=0.5 * (row > 0))
        cell.set_text_props(family="DejaVu Sans Mono", size=FONT_SIZE, weight="normal" if row else "bold")
    return figure


def table_page(title: str, model: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of texts as a page (HTML); marked text is highlighted."""
    body = "".join(_row("td", row) for row in rows)
    table = f"<table>\n<thead>{_row('th', header)}</thead>\n<tbody>\n{body}</tbody>\n</table>"
    return PAGE.format(
        title=escape(title),
        content=f'<p>Model: {escape(plain(model))}.</p>\n<div tabindex="0">{table}</div>\n',
    )


def _row(tag: str, cells: Sequence[str]) -> str:
    marks = {ord(mark): end for mark, end in zip(MARKS, ("<mark>", "</mark>"), strict=True)}
    return f"<tr>{''.join(f'<{tag}>{escape(cell).translate(marks)}</{tag}>' for cell in cells)}</tr>\n"


def join_tokens(tokens: Sequence[int], vocabulary: pd.Series) -> str:
    """Text of tokens; `vocabulary` maps a token to its text."""
    return "".join(vocabulary.loc[list(tokens)])
