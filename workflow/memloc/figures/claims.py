"""Every claim with this run's value, interval and verdict (not in the paper)."""

import textwrap

import pandas as pd

from memloc.claims.terms import FAILS, HOLDS, NOT_APPLICABLE, UNDECIDED
from memloc.figures.style import Drawing
from memloc.figures.text_table import draw_table

HEADER = ("source", "claim", "published", "this run (95 % interval)", "n", "verdict")
WIDTHS = (12, 62, 10, 36, 17, 15)
COLOURS = {HOLDS: "#00684a", FAILS: "#b35900", UNDECIDED: "#555555", NOT_APPLICABLE: "#999999"}


def draw(tables: dict[str, pd.DataFrame], settings: dict) -> Drawing:
    """A line per claim, by topic; the CSV also has rules, margins and reasons."""
    data = tables["claims"]
    rows = [_cells(claim) for claim in data.itertuples()]
    figure = draw_table(HEADER, rows, WIDTHS)
    counts = data["verdict"].value_counts()
    numbers = {
        "n_claims": len(data),
        "n_topics": data["topic"].nunique(),
        "counts": {verdict: int(counts.get(verdict, 0)) for verdict in COLOURS},
    }
    return Drawing(figure, data, numbers)


def _cells(claim) -> list[list[tuple[str, str]]]:
    shade = COLOURS[NOT_APPLICABLE] if claim.verdict == NOT_APPLICABLE else "black"
    applies = claim.verdict != NOT_APPLICABLE and pd.notna(claim.value)
    return [
        [(f"{claim.work} {claim.section}", shade)],
        [(_padded(claim.statement, WIDTHS[1]), shade)],
        [("" if pd.isna(claim.published) else f"{claim.published:,g}", shade)],
        [(_padded(_found(claim) if applies else claim.reason, WIDTHS[3]), shade)],
        [(_padded(f"{claim.n:,} {claim.unit}s", WIDTHS[4]) if applies else "", shade)],
        [(claim.verdict, COLOURS[claim.verdict])],
    ]


def _found(claim) -> str:
    interval = "" if pd.isna(claim.low) or pd.isna(claim.high) else f" ({claim.low:.3g} to {claim.high:.3g})"
    return f"{claim.value:.4g}{interval} {claim.quantity}"


def _padded(text: str, width: int) -> str:
    """Text whose lines break between words: each but the last is filled up with spaces."""
    *lines, last = textwrap.wrap(text, width) or [""]
    return "".join(line.ljust(width) for line in lines) + last
