"""Figure 8: how often paragraphs occur in the corpus, and their exact match (paper A.1)."""

import numpy as np
import pandas as pd

from memloc.data.sets import without_controls
from memloc.figures.parts.style import (
    BY_EXACT_MATCH,
    COLOURS,
    PAGE_WIDTH,
    Drawing,
    panel_labels,
    plain_log_ticks,
    set_labels,
    subplots,
)
from memloc.settings.base import Section


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Left: histogram of counts (log bins). Right: histogram of EM, one bar per value."""
    data = tables["scores"].merge(tables["paragraphs"][["id", "count"]], on="id")
    sets = without_controls(tables["sets"])[["id", "set"]]
    data = data.merge(sets, on="id")[["id", "set", "count", "em"]]
    figure, (left, right) = subplots(PAGE_WIDTH * 0.8, 2.2, ncols=2)
    labels = set_labels(settings)
    names = [name for name in BY_EXACT_MATCH if (data["set"] == name).any()]
    shared = {"stacked": True, "color": [COLOURS[name] for name in names], "log": True}
    # Edges lie between whole numbers, so that no bar is empty because no number falls into it.
    bins = np.unique(np.ceil(np.geomspace(1, data["count"].max() + 1, 40))) - 0.5
    left.hist([data.loc[data["set"] == name, "count"] for name in names], bins, **shared)
    left.set(xscale="log", xlabel="occurrences in the corpus", ylabel="paragraphs")
    right.hist(
        [data.loc[data["set"] == name, "em"] for name in names],
        np.arange(-0.5, data.em.max() + 1),
        label=[labels[name] for name in names],
        **shared,
    )
    right.set(xlabel="exact match (tokens)", ylabel="paragraphs")
    right.legend(loc="upper center")
    for axis in (left.xaxis, left.yaxis, right.yaxis):
        plain_log_ticks(axis)
    for axes in (left, right):
        axes.set_ylim(bottom=0.7)  # a bar of one paragraph is seen
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
