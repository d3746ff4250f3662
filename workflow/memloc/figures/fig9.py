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
    """A map of max |gradient| per EM bin with sampled paragraphs, and per layer the sum of |gradient| over
    attention and MLP weights."""
    gradients = tables["parameter_gradients"]
    data = gradients[gradients["group"].isin(BY_EXACT_MATCH)]
    block = data["component"].isin(ATTENTION).map({True: "attention", False: "MLP"})
    sums = data.groupby(["group", "layer", block], observed=True)["sum_abs"].sum().unstack()
    sums = sums[[*BAR_COLOURS]]  # in this order
    labels, head = set_labels(settings), highlighted_head(tables, settings)
    by_group = {group: rows for group in BY_EXACT_MATCH if len(rows := data[data["group"] == group])}
    bars = list(BAR_COLOURS.values())
    panels = [
        MapPanel(layer_matrix(rows, "max_abs"), sums.loc[group], bars, labels[group], COLOURS[group])
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
