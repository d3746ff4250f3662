"""Published numbers of the study next to those of the run (not in the paper)."""

import pandas as pd

from memloc.figures.style import Drawing
from memloc.figures.text_table import draw_table

LABELS = {
    "n_paragraphs": "paragraphs left by the filters",
    "n_memorized": "memorized paragraphs",
    "n_non_memorized": "non-memorized paragraphs",
    "max_count": "occurrences of the most frequent one",
    "n_found": "published memorized, found in this run",
    "n_both": "published memorized, memorized here",
    "n_only_here": "memorized here, not published",
    "n_only_published": "published, not memorized here",
    "n_equal_counts": "published memorized, equal counts",
    "nll_difference_max": "largest difference in NLL (nats)",
    "nll_difference_median": "median difference in NLL (nats)",
}
WIDTHS = (40, 12, 12, 8)


def draw(tables: dict[str, pd.DataFrame], settings: dict) -> Drawing:
    """One line per quantity: expected, found, and whether they are equal (empty where none is expected)."""
    data = tables["expected"]
    rows = [
        [
            [(LABELS[row.quantity], "black")],
            [(_written(row.expected), "black")],
            [(_written(row.found), "black")],
            [_verdict(row.agrees)],
        ]
        for row in data.itertuples()
    ]
    figure = draw_table(("quantity", "published", "this run", "equal"), rows, WIDTHS)
    compared = data["agrees"].dropna()
    return Drawing(figure, data, {"n_compared": len(compared), "n_agree": int(compared.sum())})


def _written(value: float) -> str:
    if pd.isna(value):
        return ""
    return f"{value:,.0f}" if value == int(value) else f"{value:.2g}"


def _verdict(agrees: bool) -> tuple[str, str]:
    if pd.isna(agrees):
        return "", "black"
    return ("yes", "black") if agrees else ("no", "#b35900")
