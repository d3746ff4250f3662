"""Every claim with this run's value, interval and verdict (not in the paper)."""

import textwrap
from typing import NamedTuple

import pandas as pd
from matplotlib.axes import Axes

from memloc.claims.sample_sizes import sample_sizes
from memloc.figures.parts.style import PAGE_WIDTH, Drawing, subplots
from memloc.figures.parts.verdict_marks import COLOURS, MARKS, draw_mark
from memloc.settings.base import Section
from memloc.tables.terms.claims import HOLDS, NOT_APPLICABLE, counted

NAMED_BY_ALL = ("2403.19851", "this project")  # other works are named in the rows of their claims
LINE_HEIGHT = 0.077  # inches
ROW_GAP = 0.03
HEADING = 2.0 * LINE_HEIGHT
FONT_SIZE = 5.0  # points
HEADING_SIZE = 6.0


class Column(NamedTuple):
    """Where a column begins, in inches, and how many characters a line of it holds."""

    title: str
    left: float
    characters: int


STATEMENT = Column("claim", 0.06, 98)
FOUND = Column("this run (95 % interval)", 4.14, 30)
REASON = Column("", 4.14, 48)  # why a claim does not apply
UNITS = Column("n", 5.46, 24)
VERDICT = Column("verdict", 6.36, 14)
COLUMNS = (STATEMENT, FOUND, UNITS, VERDICT)


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """A row per claim; a heading per topic, which names its data; claims that do not apply are in grey."""
    data = tables["claims"]
    cells = [_cells(claim) for claim in data.itertuples()]
    heights = [max(map(len, row.values())) * LINE_HEIGHT + ROW_GAP for row in cells]
    total = sum(heights) + data["topic"].nunique() * HEADING + 2 * LINE_HEIGHT
    figure, axes = subplots(total, layout="none")
    axes.set_position((0, 0, 1, 1))
    axes.set(xlim=(0, PAGE_WIDTH), ylim=(total, 0))
    axes.axis("off")
    top = LINE_HEIGHT * 0.5
    for column in COLUMNS:
        axes.text(column.left, top, column.title, fontsize=FONT_SIZE, fontweight="bold", va="top")
    top += LINE_HEIGHT
    topic, sizes = None, data["data"].value_counts()
    for claim, row, height in zip(data.itertuples(), cells, heights, strict=True):
        if claim.topic != topic:
            topic = claim.topic
            top = _draw_heading(axes, topic, f"{claim.data}: {counted(int(sizes[claim.data]), 'claim')}", top)
        _draw_row(axes, claim, row, top)
        top += height
    return Drawing(figure, data, _numbers(data))


def _numbers(data: pd.DataFrame) -> dict:
    counts = data["verdict"].value_counts()
    return {
        "n_claims": len(data),
        "n_topics": data["topic"].nunique(),
        "n_families": data["data"].nunique(),
        "counts": {verdict: int(counts.get(verdict, 0)) for verdict in MARKS},
    }


def _cells(claim) -> dict[Column, list[str]]:
    """Lines of each column."""
    applies = claim.verdict != NOT_APPLICABLE
    source = "" if claim.work in NAMED_BY_ALL else f" ({claim.work})"
    cells = {
        STATEMENT: claim.statement + source,
        **({FOUND: _found(claim), UNITS: sample_sizes(claim)} if applies else {REASON: claim.reason}),
        VERDICT: claim.verdict,
    }
    return {column: textwrap.wrap(text, column.characters) for column, text in cells.items()}


def _found(claim) -> str:
    interval = "" if pd.isna(claim.low) or pd.isna(claim.high) else f" ({claim.low:.3g} to {claim.high:.3g})"
    published = "" if pd.isna(claim.published) else f", published {claim.published:,.10g}"
    return f"{claim.value:.3g}{interval}{published}"


def _draw_heading(axes: Axes, topic: str, data: str, top: float) -> float:
    """Draw the name of a topic and its data above a line; returns where its first row begins."""
    bottom = top + HEADING - 0.4 * LINE_HEIGHT
    style = {"va": "bottom", "fontsize": HEADING_SIZE}
    name, place = topic.replace("_", " ").capitalize(), bottom - 0.2 * LINE_HEIGHT
    axes.text(STATEMENT.left, place, name, fontweight="bold", **style)
    axes.text(PAGE_WIDTH - 0.06, place, data, color="0.35", ha="right", **style)
    axes.plot([STATEMENT.left, PAGE_WIDTH - 0.06], [bottom] * 2, color="0.5", lw=0.5)
    return top + HEADING


def _draw_row(axes: Axes, claim, row: dict[Column, list[str]], top: float) -> None:
    applies = claim.verdict != NOT_APPLICABLE
    for column, lines in row.items():
        shade = COLOURS[claim.verdict] if column == VERDICT else "black" if applies else "0.45"
        weight = "bold" if column == VERDICT and claim.verdict == HOLDS else "normal"
        left = column.left + (0.1 if column == VERDICT else 0)
        for number, line in enumerate(lines):
            style = {"fontsize": FONT_SIZE, "color": shade, "fontweight": weight, "va": "top"}
            axes.text(left, top + number * LINE_HEIGHT, line, **style)
    middle = top + 0.45 * LINE_HEIGHT
    draw_mark(axes, VERDICT.left + 0.03, middle, claim.verdict, size=3)
