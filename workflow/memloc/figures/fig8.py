"""Figure 8: how often paragraphs occur in the corpus, and their exact match (paper A.1)."""

import numpy as np
import pandas as pd

from memloc.data.sets import trained_on
from memloc.figures.parts.style import Drawing, counted_by_set, panel_labels, plain_log_ticks, subplots
from memloc.settings.base import Section


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Left: histogram of counts (log bins). Right: histogram of EM, one step per value."""
    data = tables["scores"].merge(tables["paragraphs"][["id", "count"]], on="id")
    sets = trained_on(tables["sets"])[["id", "set"]]
    data = data.merge(sets, on="id")[["id", "set", "count", "em"]]
    figure, (left, right) = subplots(2.2, width=5.6, ncols=2)
    # Edges lie between whole numbers, so that no bar is empty because no number falls into it.
    edges = np.unique(np.ceil(np.geomspace(1, data["count"].max() + 1, 40))) - 0.5
    counted_by_set(left, data, "count", edges, settings)
    left.set(xscale="log", xlabel="occurrences of the paragraph")
    counted_by_set(right, data, "em", np.arange(-0.5, data.em.max() + 1), settings)
    right.set(xlabel="exact match (tokens)")
    right.legend(loc="upper center")
    plain_log_ticks(left.xaxis)
    panel_labels((left, right))
    memorized = data.loc[data["set"] == "memorized", "count"]
    numbers = {
        "n_paragraphs": len(data),
        "max_count": int(data["count"].max()),
        "median_count": float(data["count"].median()),
        "median_count_memorized": float(memorized.median()) if len(memorized) else None,
        "share_em_0": float((data.em == 0).mean()),
    }
    return Drawing(figure, data, numbers)
