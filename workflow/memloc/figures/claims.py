"""Every claim with this run's value, interval and verdict (not in the paper)."""

import textwrap
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from memloc.claims.sample_sizes import sample_sizes
from memloc.figures.parts.style import PAGE_WIDTH, Drawing, subplots
from memloc.figures.parts.verdict_marks import COLOURS, MARKS, draw_mark
from memloc.settings.base import Section
from memloc.tables.terms.claims import HOLDS, NOT_APPLICABLE, SHARE, counted, scale_of

NAMED_BY_ALL = ("2403.19851", "this project")  # other works are named in the rows of their claims
LINE_HEIGHT = 0.077  # inches
ROW_GAP = 0.03
FONT_SIZE = 5.0  # points


class Column(NamedTuple):
    """Where a column begins, in inches, and how many characters a line of it holds."""

    title: str
    left: float
    characters: int


TOPIC = Column("topic, and its data", 0.06, 22)
STATEMENT = Column("claim", 1.02, 71)
STRIP = Column("from its bound", 3.78, 0)
FOUND = Column("this run (95 % interval)", 4.62, 28)
REASON = Column("", STRIP.left, 48)  # why a claim does not apply
UNITS = Column("n", 5.74, 14)
VERDICT = Column("verdict", 6.42, 14)
COLUMNS = (TOPIC, STATEMENT, STRIP, FOUND, UNITS, VERDICT)
STRIP_WIDTH = 0.76  # inches
NOTE = (
    "Strips show a value (dot) and its 95 % interval (bar); without a bar, it has no interval or a narrower "
    "one. The tick in the middle is the bound of the claim (0.5 for 'most', 0 for 'more'; a column of the "
    "CSV). The claim holds if the bar lies right of it, and does not hold if it lies left; with two ticks, "
    "it holds between them. Where a grey bar would decide, a doubt or the number of claims on the same data "
    "does not let it (see the CSV). Distances are drawn as their square roots, so bars near a tick look "
    "longer. Strips of one kind, which the unit names, end at the same distance: "
)
NOTE_WIDTH = 172  # characters
THICK = 1.2  # points, of an interval
OF_BOUNDS = "0.4"


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """A row per claim, by topic: how far its interval lies from its bound, on a scale by kind of quantity."""
    data = tables["claims"]
    rows = [(claim, _cells(claim)) for claim in data.itertuples()]
    sizes = data.loc[data["verdict"] != NOT_APPLICABLE, "data"].value_counts()
    topics = data.groupby("topic", sort=False)["data"].first()
    named = {topic: f"{each}: {counted(int(sizes.get(each, 0)), 'claim')}" for topic, each in topics.items()}
    names = {topic: textwrap.wrap(name, TOPIC.characters) for topic, name in named.items()}
    tops, total = [], 2 * LINE_HEIGHT
    for topic, name in names.items():
        own, begin = [cells for claim, cells in rows if claim.topic == topic], total
        for cells in own:
            tops.append(total)
            total += max(map(len, cells.values())) * LINE_HEIGHT + ROW_GAP
        total = max(total, begin + (1 + len(name)) * LINE_HEIGHT + ROW_GAP)
    ends = _ends(data)
    told = ", ".join(f"{end:.2g} ({kind})" for kind, end in ends.items())
    note = textwrap.wrap(f"{NOTE}{told}.", NOTE_WIDTH)
    total += (len(note) + 1) * LINE_HEIGHT
    figure, axes = subplots(total, layout="none")
    axes.set_position((0, 0, 1, 1))
    axes.set(xlim=(0, PAGE_WIDTH), ylim=(total, 0))
    axes.axis("off")
    for column in COLUMNS:
        _write(axes, column, [column.title], LINE_HEIGHT * 0.5, fontweight="bold")
    _write(axes, TOPIC, note, total - (len(note) + 0.5) * LINE_HEIGHT, color="0.35")
    topic = None
    for (claim, cells), top in zip(rows, tops, strict=True):
        if claim.topic != topic:
            topic = claim.topic
            axes.plot([TOPIC.left, PAGE_WIDTH - 0.06], [top - ROW_GAP] * 2, color="0.7", lw=0.5)
            _write(axes, TOPIC, [topic.replace("_", " ").capitalize()], top, fontweight="bold")
            _write(axes, TOPIC, names[topic], top + LINE_HEIGHT, color="0.35")
        _draw_row(axes, claim, cells, top)
        if claim.verdict != NOT_APPLICABLE:
            _draw_strip(axes, claim, top + 0.5 * LINE_HEIGHT, ends[scale_of(claim.quantity)])
    return Drawing(figure, data, _numbers(data))


def _numbers(data: pd.DataFrame) -> dict:
    counts = data["verdict"].value_counts()
    return {
        "n_claims": len(data),
        "n_topics": data["topic"].nunique(),
        "n_families": data.loc[data["verdict"] != NOT_APPLICABLE, "data"].nunique(),
        "counts": {verdict: int(counts.get(verdict, 0)) for verdict in MARKS},
    }


def _ends(data: pd.DataFrame) -> dict[str, float]:
    """By kind of quantity, the distance from the bound at the ends of a strip: the largest that is drawn."""
    distances = data[["value", "low", "high"]].sub(data["bound"], axis=0).abs()
    distances["margin"] = data["margin"].where((data["rule"] == "equal within") & (data["n"] > 0))
    ends = distances.max(axis=1).groupby(data["quantity"].map(scale_of)).max()
    return ends.replace(0.0, 1.0).dropna().to_dict()


def _cells(claim) -> dict[Column, list[str]]:
    """Lines of each column."""
    source = "" if claim.work in NAMED_BY_ALL else f" ({claim.work})"
    cells = {STATEMENT: claim.statement + source, VERDICT: claim.verdict}
    if claim.verdict == NOT_APPLICABLE:
        cells[REASON] = claim.reason
    else:
        cells |= {FOUND: _found(claim), UNITS: sample_sizes(claim)}
    return {column: textwrap.wrap(text, column.characters) for column, text in cells.items()}


def _found(claim) -> str:
    interval = "" if pd.isna(claim.low) or pd.isna(claim.high) else f" ({claim.low:.3g} to {claim.high:.3g})"
    published = "" if pd.isna(claim.published) else f", published {claim.published:,.10g}"
    unit = "" if (scale := scale_of(claim.quantity)) == SHARE else f" {scale}"
    return f"{claim.value:.3g}{unit}{interval}{published}"


def _write(axes: Axes, column: Column, lines: list[str], top: float, **style) -> None:
    for number, line in enumerate(lines):
        axes.text(column.left, top + number * LINE_HEIGHT, line, fontsize=FONT_SIZE, va="top", **style)


def _draw_row(axes: Axes, claim, cells: dict[Column, list[str]], top: float) -> None:
    for column, lines in cells.items():
        weight = "bold" if column == VERDICT and claim.verdict == HOLDS else "normal"
        plain = "0.45" if claim.verdict == NOT_APPLICABLE else "black"
        shade = COLOURS[claim.verdict] if column == VERDICT else plain
        _write(axes, column, lines, top, color=shade, fontweight=weight)
    draw_mark(axes, VERDICT.left - 0.06, top + 0.5 * LINE_HEIGHT, claim.verdict, size=3)


def _draw_strip(axes: Axes, claim, middle: float, end: float) -> None:
    """The interval on a line whose middle is the bound; a range of equivalence has a tick at both ends."""

    def at(distance: float) -> float:
        return STRIP.left + STRIP_WIDTH / 2 * (1 + np.sign(distance) * (abs(distance) / end) ** 0.5)

    low, value, high = (at(each - claim.bound) for each in (claim.low, claim.value, claim.high))
    axes.plot([at(-end), at(end)], [middle] * 2, color="0.85", lw=0.5)
    axes.plot([low, high], [middle] * 2, color=COLOURS[claim.verdict], lw=THICK, solid_capstyle="butt")
    axes.plot([value], [middle], marker=".", ms=3, color=COLOURS[claim.verdict])
    for tick in (-claim.margin, claim.margin) if claim.rule == "equal within" else (0,):
        axes.plot([at(tick)] * 2, [middle - 0.035, middle + 0.035], color=OF_BOUNDS, lw=0.6)
