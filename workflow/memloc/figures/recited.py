"""Which paragraphs of the user's own text the model recites (not in the paper)."""

from typing import Any

import pandas as pd

from memloc.data.sets import without_controls
from memloc.figures.parts.memorized_table import draw_paragraphs, memorized_paragraphs
from memloc.figures.parts.style import Drawing

N_SHOWN = 12


def draw(tables: dict[str, pd.DataFrame], settings: dict[str, Any]) -> Drawing:
    """Memorized paragraphs, those that repeat most in the text first; the CSV holds all."""
    data = memorized_paragraphs(tables, settings["paragraph"]["prefix"])
    data = data.sort_values(["count", "id"], ascending=[False, True], ignore_index=True)
    figure = draw_paragraphs(data.head(N_SHOWN))
    em = tables["scores"].merge(without_controls(tables["sets"])[["id"]], on="id")["em"]
    numbers = {
        "n_shown": min(len(data), N_SHOWN),
        "n_memorized": len(data),
        "n_paragraphs": len(em),
        "max_em": int(em.max()),
        "n_prefix": settings["paragraph"]["prefix"],
        "n_continuation": settings["paragraph"]["length"] - settings["paragraph"]["prefix"],
    }
    return Drawing(figure, data, numbers)
