"""Table 1: memorized paragraphs, prefix and continuation, with their counts and scores (paper A.1)."""

import pandas as pd

from memloc.figures.parts.style import Drawing
from memloc.figures.parts.text_table import draw_table, join_tokens, plain, table_page
from memloc.settings.base import Section

N_SHOWN = 6
HEADER = ("id", "count", "NLL", "prefix", "memorized continuation")
WIDTHS = (7, 7, 7, 52, 52)
COLUMNS = ["id", "sampled", "count", "em", "nll", "prefix", "continuation"]


def draw(tables: dict[str, pd.DataFrame], settings: Section, model: str = "unnamed") -> Drawing:
    """The sampled memorized paragraphs with the smallest ids; the CSV holds all."""
    vocabulary, n_prefix = tables["vocabulary"].set_index("token")["text"], settings.paragraph.prefix
    memorized = tables["sets"].query("set == 'memorized'")[["id", "sampled"]]
    data = memorized.merge(tables["paragraphs"], on="id").merge(tables["scores"], on="id")
    data["prefix"] = [join_tokens(tokens[:n_prefix], vocabulary) for tokens in data.tokens]
    data["continuation"] = [join_tokens(tokens[n_prefix:], vocabulary) for tokens in data.tokens]
    data = data[COLUMNS]
    sampled = data[data.sampled].sort_values("id")
    shown = sampled.head(N_SHOWN)
    median = float(data["count"].median()) if len(data) else None
    numbers = {"n_shown": len(shown), "n_memorized": len(data), "median_count": median}
    numbers |= {"n_sampled": len(sampled), "n_once": int((data["count"] == 1).sum())}
    rows = [
        [f"{row.id}", f"{row.count:,}", f"{row.nll:.3f}", plain(row.prefix), plain(row.continuation)]
        for row in shown.itertuples()
    ]
    page = table_page("Memorized paragraphs", model, HEADER, rows)
    return Drawing(draw_table(HEADER, rows, WIDTHS), data, numbers, page)
