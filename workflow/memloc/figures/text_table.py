"""Paragraphs as a typeset table: wrapped, monospaced text with runs of tokens in colours."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from memloc.figures.style import subplots, visible

LINE_HEIGHT = 0.118
FONT_SIZE = 6.0  # points
CHARACTER_WIDTH = 0.602 * FONT_SIZE / 72  # inches: DejaVu Sans Mono advances 0.602 em
ROW_GAP = 0.12
COLUMN_GAP = 0.15

Cell = Sequence[tuple[str, str]]  # pieces of text, each with a colour


def wrap(cell: Cell, n_characters: int) -> list[list[tuple[str, str]]]:
    """Lines of (text, colour) pieces of at most `n_characters`, broken anywhere, whitespace visible."""
    lines: list[list[tuple[str, str]]] = [[]]
    room = n_characters
    for text, colour in cell:
        text = visible(text).replace("\u2423", " ")
        while text:
            if room == 0:
                lines.append([])
                room = n_characters
            lines[-1].append((text[:room], colour))
            text, room = text[room:], room - len(text[:room])
    return lines


def draw_table(header: Sequence[str], rows: Sequence[Sequence[Cell]], widths: Sequence[int]) -> Figure:
    """A table of cells; `widths` are the columns' characters."""
    wrapped = [[wrap(cell, width) for cell, width in zip(row, widths, strict=True)] for row in rows]
    heights = [max(len(lines) for lines in row) * LINE_HEIGHT + ROW_GAP for row in wrapped]
    width = sum(widths) * CHARACTER_WIDTH + COLUMN_GAP * (len(widths) + 1)
    height = sum(heights) + LINE_HEIGHT + 2 * ROW_GAP
    figure, axes = subplots(width, height, layout="none")
    axes.set_position((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.axis("off")
    starts = [COLUMN_GAP + sum(widths[:i]) * CHARACTER_WIDTH + COLUMN_GAP * i for i in range(len(widths))]
    top = ROW_GAP
    for start, title in zip(starts, header, strict=True):
        axes.text(start, top, title, fontsize=FONT_SIZE + 0.5, fontweight="bold", va="top")
    top += LINE_HEIGHT + ROW_GAP / 2
    for row, row_height in zip(wrapped, heights, strict=True):
        axes.plot([COLUMN_GAP, width - COLUMN_GAP], [top, top], color="0.7", lw=0.5)
        for start, lines in zip(starts, row, strict=True):
            _draw_cell(axes, start, top + ROW_GAP / 2, lines)
        top += row_height
    return figure


def _draw_cell(axes, left: float, top: float, lines: list[list[tuple[str, str]]]) -> None:
    for number, line in enumerate(lines):
        offset = 0
        for text, colour in line:
            axes.text(
                left + offset * CHARACTER_WIDTH,
                top + number * LINE_HEIGHT,
                text,
                family="DejaVu Sans Mono",
                fontsize=FONT_SIZE,
                color=colour,
                va="top",
            )
            offset += len(text)


def join_tokens(tokens: Sequence[int], vocabulary: pd.Series) -> str:
    """Text of tokens; `vocabulary` maps a token to its text."""
    return "".join(vocabulary.loc[list(tokens)])
