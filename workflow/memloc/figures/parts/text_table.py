"""Paragraphs as a typeset table: wrapped, monospaced text with runs of tokens in colours."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from memloc.figures.parts.style import VISIBLE, subplots, visible

LINE_HEIGHT = 0.118
FONT_SIZE = 6.0  # points
CHARACTER_WIDTH = 0.602 * FONT_SIZE / 72  # inches: DejaVu Sans Mono advances 0.602 em
ROW_GAP = 0.12
COLUMN_GAP = 0.15

MARK = "0.9"  # background of marked pieces
LEFT_OUT = "\u2026"


class Piece(NamedTuple):
    """A run of text; a marked one is bold on a grey background, and its spaces are visible."""

    text: str
    colour: str
    marked: bool = False


Cell = Sequence[Piece | tuple[str, str]]


def wrap(cell: Cell, n_characters: int) -> list[list[Piece]]:
    """Lines of at most `n_characters`, each a list of pieces.

    Lines break after white space, whose marks are visible, or within a word that is longer than a line.
    """
    pieces = [Piece(*piece) for piece in cell]
    texts = [visible(text) if marked else visible(text).replace("\u2423", " ") for text, _, marked in pieces]
    most, spaces = n_characters, "".join([" ", *VISIBLE.values()])
    lengths = map(
        len, re.findall(rf".{{1,{most}}}$|.{{,{most - 1}}}[{spaces}]|.{{1,{most}}}", "".join(texts))
    )
    lines: list[list[Piece]] = []
    room = 0
    for piece, text in zip(pieces, texts, strict=True):
        while text:
            if room == 0:
                lines.append([])
                room = next(lengths)
            lines[-1].append(piece._replace(text=text[:room]))
            text, room = text[room:], room - len(text[:room])
    return lines


def draw_table(header: Sequence[str], rows: Sequence[Sequence[Cell | str]], widths: Sequence[int]) -> Figure:
    """A table of cells; plain text is black. `widths` are the columns' characters."""
    cells = [[[(cell, "black")] if isinstance(cell, str) else cell for cell in row] for row in rows]
    wrapped = [[wrap(cell, width) for cell, width in zip(row, widths, strict=True)] for row in cells]
    heights = [max(len(lines) for lines in row) * LINE_HEIGHT + ROW_GAP for row in wrapped]
    width = sum(widths) * CHARACTER_WIDTH + COLUMN_GAP * (len(widths) + 1)
    height = sum(heights) + LINE_HEIGHT + 2 * ROW_GAP
    figure, axes = subplots(height, width, layout="none")
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


def _draw_cell(axes, left: float, top: float, lines: list[list[Piece]]) -> None:
    # A lower zorder keeps the background below the neighbouring text.
    marked = {"fontweight": "bold", "bbox": {"facecolor": MARK, "edgecolor": "none", "pad": 0.8}, "zorder": 2}
    for number, line in enumerate(lines):
        offset = 0
        for piece in line:
            axes.text(
                left + offset * CHARACTER_WIDTH,
                top + number * LINE_HEIGHT,
                piece.text,
                family="DejaVu Sans Mono",
                fontsize=FONT_SIZE,
                color=piece.colour,
                va="top",
                **(marked if piece.marked else {}),
            )
            offset += len(piece.text)


def run_texts(runs: Iterable[Sequence[int]], vocabulary: pd.Series, begins: bool, ends: bool) -> list[str]:
    """Texts of runs of tokens. An ellipsis stands for an empty run, and for a word that may be cut: the
    first, unless the text `begins` there, and the last, unless it `ends`. Text without spaces is kept whole.
    """
    first, *texts = [join_tokens(tokens, vocabulary) or LEFT_OUT for tokens in runs]
    *most, last = [first if begins else re.sub(r"^\w{1,30}\b", LEFT_OUT, first), *texts]
    return [*most, last if ends else re.sub(r"\b\w{1,30}$", LEFT_OUT, last)]


def joined_rows(rows: Iterable[Sequence[int]], vocabulary: pd.Series) -> list[str]:
    """`join_tokens` for many rows at once; there may be a million."""
    texts = vocabulary.reindex(range(vocabulary.index.max() + 1)).to_numpy(object)
    return ["".join(texts[np.asarray(tokens, dtype=np.int64)]) for tokens in rows]


def join_tokens(tokens: Sequence[int], vocabulary: pd.Series) -> str:
    """Text of tokens; `vocabulary` maps a token to its text."""
    return "".join(vocabulary.loc[list(tokens)])
