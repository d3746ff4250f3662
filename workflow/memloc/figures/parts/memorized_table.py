"""Memorized paragraphs as a typeset table."""

import pandas as pd
from matplotlib.figure import Figure

from memloc.figures.parts.style import COLOURS
from memloc.figures.parts.text_table import draw_table, join_tokens

WIDTHS = (7, 7, 7, 52, 52)


def memorized_paragraphs(tables: dict[str, pd.DataFrame], n_prefix: int) -> pd.DataFrame:
    """Id, sampled, count, em, nll, and the texts of prefix and continuation of all memorized paragraphs."""
    vocabulary = tables["vocabulary"].set_index("token")["text"]
    memorized = tables["sets"].query("set == 'memorized'")[["id", "sampled"]]
    data = memorized.merge(tables["paragraphs"], on="id").merge(tables["scores"], on="id")
    data["prefix"] = [join_tokens(tokens[:n_prefix], vocabulary) for tokens in data.tokens]
    data["continuation"] = [join_tokens(tokens[n_prefix:], vocabulary) for tokens in data.tokens]
    return data[["id", "sampled", "count", "em", "nll", "prefix", "continuation"]]


def draw_paragraphs(shown: pd.DataFrame) -> Figure:
    """A row per memorized paragraph, its continuation in colour."""
    rows = [
        [
            [(str(row.id), "black")],
            [(f"{row.count_:,}", "black")],
            [(f"{row.nll:.3f}", "black")],
            [(row.prefix, "black")],
            [(row.continuation, COLOURS["memorized"])],
        ]
        for row in shown.rename(columns={"count": "count_"}).itertuples()
    ]
    return draw_table(("id", "count", "NLL", "prefix", "memorized continuation"), rows, WIDTHS)
