"""Which claims hold for which model (not in the paper)."""

import pandas as pd

from memloc.figures.parts.style import PAGE_WIDTH, Drawing, subplots
from memloc.figures.parts.verdict_marks import draw_grid, draw_legend, survival, survival_numbers
from memloc.settings.base import Section


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """A row per claim with a mark per model, and the span of its values."""
    claims, models = tables["claims"], list(tables["models"]["model"])
    figure, axes = subplots(max(0.125 * claims["id"].nunique() + 0.8, 3.2), PAGE_WIDTH * 0.8)
    data = survival(claims, "model")
    draw_grid(axes, claims, data, "model", models)
    axes.tick_params(axis="x", rotation=90 if max(map(len, models)) > 4 else 0)
    draw_legend(axes, "outside upper left")
    return Drawing(figure, data, survival_numbers(data, len(models)))
