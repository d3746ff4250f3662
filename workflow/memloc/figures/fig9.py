"""Figure 9: gradients of the weights, from non-memorized to memorized paragraphs (paper 5.1, A.2)."""

import pandas as pd

from memloc.figures.parts.gradient_summary import lower_share
from memloc.figures.parts.heatmap import MapPanel, layer_matrix, maps_with_bars
from memloc.figures.parts.style import BY_EXACT_MATCH, COLOURS, Drawing, set_labels
from memloc.localization.highlight import highlighted_head
from memloc.settings.base import Section

ATTENTION = ("W_Q", "W_K", "W_V", "W_O")
BAR_COLOURS = {"attention": "0.2", "MLP": "0.65"}


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """A map of max |gradient| per EM bin, and per layer the sum of |gradient| over attention and MLP weights.

    Bins without a sampled paragraph are left out.
    """
    gradients = tables["parameter_gradients"]
    data = gradients[gradients["group"].isin(BY_EXACT_MATCH)]
    labels, head = set_labels(settings), highlighted_head(tables, settings)
    by_group = {group: rows for group in BY_EXACT_MATCH if len(rows := data[data["group"] == group])}
    bars = list(BAR_COLOURS.values())
    panels = [
        MapPanel(layer_matrix(rows, "max_abs"), block_sums(rows), bars, labels[group], COLOURS[group])
        for group, rows in by_group.items()
    ]
    figure = maps_with_bars(panels, head, ("max |gradient|", "sum |gradient|"))
    sampled = tables["sets"].loc[tables["sets"]["sampled"], "set"].value_counts()
    groups = {
        group: {
            "label": labels[group],
            "n": int(sampled[group]),
            "sum": float(rows["sum_abs"].sum()),
            "lower": lower_share(rows, "sum_abs"),
        }
        for group, rows in by_group.items()
    }
    differ = len({found["n"] for found in groups.values()}) > 1
    return Drawing(figure, data, {"groups": groups, "sizes_differ": differ})


def block_sums(rows: pd.DataFrame) -> pd.DataFrame:
    """Sum of |gradient| over the attention weights and over the MLP weights of every layer (index)."""
    block = rows["component"].isin(ATTENTION).map({True: "attention", False: "MLP"})
    sums = rows.groupby(["layer", block])["sum_abs"].sum()
    return sums.unstack()[list(BAR_COLOURS)]
