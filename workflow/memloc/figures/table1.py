"""Table 1: memorized paragraphs, prefix and continuation, with their counts and scores (paper A.1)."""

import pandas as pd

from memloc.figures.style import COLOURS, Drawing
from memloc.figures.text_table import draw_table, join_tokens

N_SHOWN = 6
WIDTHS = (7, 7, 7, 52, 52)


def draw(tables: dict[str, pd.DataFrame], settings: dict) -> Drawing:
    """The sampled memorized paragraphs with the smallest ids, whatever they say; the CSV holds all."""
    n_prefix = settings["paragraph"]["prefix"]
    vocabulary = tables["vocabulary"].set_index("token")["text"]
    memorized = tables["sets"].query("set == 'memorized'")[["id", "sampled"]]
    data = memorized.merge(tables["paragraphs"], on="id").merge(tables["scores"], on="id")
    data["prefix"] = [join_tokens(tokens[:n_prefix], vocabulary) for tokens in data.tokens]
    data["continuation"] = [join_tokens(tokens[n_prefix:], vocabulary) for tokens in data.tokens]
    shown = data[data.sampled].sort_values("id").head(N_SHOWN)
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
    figure = draw_table(("id", "count", "NLL", "prefix", "memorized continuation"), rows, WIDTHS)
    numbers = {"n_shown": len(shown), "n_memorized": len(data), "median_count": float(data["count"].median())}
    columns = ["id", "sampled", "count", "em", "nll", "prefix", "continuation"]
    return Drawing(figure, data[columns], numbers)
