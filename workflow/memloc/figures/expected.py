"""Published numbers of the study next to the numbers of the run (not in the paper)."""

import pandas as pd

from memloc.figures.parts.style import Drawing
from memloc.figures.parts.text_table import draw_table, table_page
from memloc.settings.base import Section

COUNTED = {
    "n_paragraphs": "paragraphs left by the filters",
    "n_memorized": "memorized paragraphs",
    "n_non_memorized": "non-memorized paragraphs",
    "n_partly_11_29": "partly memorized, less than three fifths",
    "n_partly_30_49": "partly memorized, three fifths or more",
    "max_count": "occurrences of the most frequent one",
}
LOCALIZED = {
    "n_unique_tokens": "different tokens of both sets",
    "rare_token_correlation": "correlation of the head's attention with rarity",
    "rank_combined": "rank of the head by all methods together",
    "rank_parameter_gradient": "rank of the head by parameter gradients",
    "rank_patching": "rank of the head by patching",
    "rank_key_query_layer": "rank of the layer by key and query gradients",
}
LABELS = {
    **COUNTED,
    **LOCALIZED,
    **{f"{name}_reference": f"{label} (authors' filter)" for name, label in COUNTED.items()},
}
AGREES = {True: "yes", False: "no"}  # nothing where no number is expected
HEADER, WIDTHS = ("quantity", "published", "this run", "equal"), (58, 12, 12, 8)


def draw(tables: dict[str, pd.DataFrame], settings: Section, model: str = "unnamed") -> Drawing:
    """One line per quantity: expected, found, and whether they are equal (empty where none is expected)."""
    data = tables["expected"]
    rows = [
        [LABELS[row.quantity], _written(row.expected), _written(row.found), AGREES.get(row.agrees, "")]
        for row in data.itertuples()
    ]
    compared = data["agrees"].dropna()
    numbers = {"n_compared": len(compared), "n_agree": int(compared.sum())}
    page = table_page("Published numbers and this run's", model, HEADER, rows)
    return Drawing(draw_table(HEADER, rows, WIDTHS), data, numbers, page)


def _written(value: float) -> str:
    if pd.isna(value):
        return ""
    return f"{value:,.0f}" if value == int(value) else f"{value:.2g}"
