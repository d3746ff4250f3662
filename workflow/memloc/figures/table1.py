"""Table 1: memorized paragraphs, prefix and continuation, with their counts and scores (paper A.1)."""

import pandas as pd

from memloc.figures.parts.memorized_table import draw_paragraphs, memorized_paragraphs
from memloc.figures.parts.style import Drawing
from memloc.settings.base import Section

N_SHOWN = 6


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """The sampled memorized paragraphs with the smallest ids; the CSV holds all."""
    data = memorized_paragraphs(tables, settings.paragraph.prefix)
    shown = data[data.sampled].sort_values("id").head(N_SHOWN)
    median = float(data["count"].median()) if len(data) else None
    numbers = {"n_shown": len(shown), "n_memorized": len(data), "median_count": median}
    return Drawing(draw_paragraphs(shown), data, numbers)
