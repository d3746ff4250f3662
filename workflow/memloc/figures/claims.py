"""Every claim with this run's value, interval and verdict (not in the paper)."""

import textwrap
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from memloc.figures.parts.style import Drawing, subplots
from memloc.figures.parts.verdict_marks import COLOURS, MARKS, draw_mark
from memloc.settings.base import Section
from memloc.tables.terms.claims import HOLDS, NOT_APPLICABLE, counted

PAPER = "2403.19851"  # claims of other works have theirs next to the section
LINE_HEIGHT = 0.125  # inches
ROW_GAP = 0.075
HEADING = 2.1 * LINE_HEIGHT + 0.5 * ROW_GAP
FONT_SIZE = 6.5  # points
HEADING_SIZE = 8.0


class Column(NamedTuple):
    """Where a column begins, in inches, and how many characters a line of it holds."""

    title: str
    left: float
    characters: int


STATEMENT = Column("claim", 0.12, 57)
SOURCE = Column("section", 3.18, 13)
PUBLISHED = Column("published", 3.88, 9)
FOUND = Column("this run (95 % interval)", 4.48, 42)
STRIP = Column("interval and bound", 6.62, 0)
UNITS = Column("n", 8.17, 16)
VERDICT = Column("verdict", 9.1, 14)
COLUMNS = (STATEMENT, SOURCE, PUBLISHED, FOUND, STRIP, UNITS, VERDICT)
STRIP_WIDTH = 1.35
WIDTH = 10.1


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """A row per claim below a heading per topic; claims that do not apply to the study are in grey."""
    data = tables["claims"]
    cells = [_cells(claim) for claim in data.itertuples()]
    heights = [max(map(len, row.values())) * LINE_HEIGHT + ROW_GAP for row in cells]
    n_topics = data["topic"].nunique()
    total = sum(heights) + n_topics * HEADING + 2 * LINE_HEIGHT
    figure, axes = subplots(WIDTH, total, layout="none")
    axes.set_position((0, 0, 1, 1))
    axes.set(xlim=(0, WIDTH), ylim=(total, 0))
    axes.axis("off")
    top = LINE_HEIGHT * 0.6
    for column in COLUMNS:
        axes.text(column.left, top, column.title, fontsize=FONT_SIZE, fontweight="bold", va="top")
    top += 1.2 * LINE_HEIGHT
    topic = None
    for claim, row, height in zip(data.itertuples(), cells, heights, strict=True):
        if claim.topic != topic:
            topic = claim.topic
            top = _draw_heading(axes, topic, top)
        _draw_row(axes, claim, row, top)
        top += height
    return Drawing(figure, data, _numbers(data))


def _numbers(data: pd.DataFrame) -> dict:
    counts = data["verdict"].value_counts()
    return {
        "n_claims": len(data),
        "n_topics": data["topic"].nunique(),
        "counts": {verdict: int(counts.get(verdict, 0)) for verdict in MARKS},
    }


def _cells(claim) -> dict[Column, list[str]]:
    """Lines of each column."""
    applies = claim.verdict != NOT_APPLICABLE
    cells = {
        STATEMENT: claim.statement,
        SOURCE: claim.section if claim.work == PAPER else f"{claim.work}, {claim.section}",
        PUBLISHED: "" if pd.isna(claim.published) else f"{claim.published:,.10g}",
        FOUND: _found(claim) if applies else claim.reason,
        UNITS: counted(claim.n, claim.unit) if applies else "",
        VERDICT: claim.verdict,
    }
    return {column: textwrap.wrap(text, column.characters) for column, text in cells.items()}


def _found(claim) -> str:
    interval = "" if pd.isna(claim.low) or pd.isna(claim.high) else f" ({claim.low:.3g} to {claim.high:.3g})"
    return f"{claim.value:.4g}{interval} {claim.quantity}"


def _draw_heading(axes: Axes, topic: str, top: float) -> float:
    """Name of a topic above a line; returns where its first row begins."""
    bottom = top + 2.1 * LINE_HEIGHT
    name = topic.replace("_", " ").capitalize()
    axes.text(
        STATEMENT.left,
        bottom - 0.3 * LINE_HEIGHT,
        name,
        fontsize=HEADING_SIZE,
        fontweight="bold",
        va="bottom",
    )
    axes.plot([STATEMENT.left, WIDTH - 0.1], [bottom] * 2, color="0.5", lw=0.6)
    return top + HEADING


def _draw_row(axes: Axes, claim, row: dict[Column, list[str]], top: float) -> None:
    applies = claim.verdict != NOT_APPLICABLE
    for column, lines in row.items():
        shade = COLOURS[claim.verdict] if column == VERDICT else "black" if applies else "0.45"
        weight = "bold" if column == VERDICT and claim.verdict == HOLDS else "normal"
        left = column.left + (0.14 if column == VERDICT else 0)
        for number, line in enumerate(lines):
            style = {"fontsize": FONT_SIZE, "color": shade, "fontweight": weight, "va": "top"}
            axes.text(left, top + number * LINE_HEIGHT, line, **style)
    middle = top + 0.45 * LINE_HEIGHT
    draw_mark(axes, VERDICT.left + 0.05, middle, claim.verdict)
    if applies and np.isfinite([claim.value, claim.low, claim.high]).all():
        _draw_strip(axes, claim, middle)


def _draw_strip(axes: Axes, claim, y: float) -> None:
    """The interval next to the rule's bound, which is in the middle. Each row has its own scale. For
    equivalence the target is in the middle, and the margin around it is grey.
    """
    middle, half = STRIP.left + STRIP_WIDTH / 2, STRIP_WIDTH / 2
    around = claim.rule == "equal within"
    target = claim.bound
    reach = max(abs(claim.low - target), abs(claim.high - target), claim.margin if around else 0, 1e-12)
    if around:
        margin = half * claim.margin / reach
        axes.fill_between([middle - margin, middle + margin], y - 0.05, y + 0.05, color="0.85", lw=0)
    axes.plot([middle, middle], [y - 0.055, y + 0.055], color="0.4", lw=0.6)
    low, value, high = (
        middle + half * (end - target) / reach for end in (claim.low, claim.value, claim.high)
    )
    axes.plot([low, high], [y, y], color=COLOURS[claim.verdict], lw=1.2, solid_capstyle="butt")
    axes.plot([value], [y], marker="|", ms=4, color=COLOURS[claim.verdict])
