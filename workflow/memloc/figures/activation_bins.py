"""Gradients of the activations, from non-memorized to memorized paragraphs (extended)."""

import pandas as pd

from memloc.figures.parts.gradient_summary import strongest_component
from memloc.figures.parts.heatmap import colour_bar, heat_map, layer_bars, layer_matrix, map_height
from memloc.figures.parts.style import (
    BY_EXACT_MATCH,
    COLOURS,
    PAGE_WIDTH,
    Drawing,
    panel_label,
    set_labels,
    subplots,
)
from memloc.localization.highlight import highlighted_head
from memloc.settings.base import Section

VALUE = "mean_max_abs"


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """A map of mean activation gradients per EM bin, layers x components; bars: sum per layer.

    Bins without a sampled paragraph are left out.
    """
    data = tables["activation_bins"]
    groups = [group for group in BY_EXACT_MATCH if (data["group"] == group).any()]
    head, labels = highlighted_head(tables, settings), set_labels(settings)
    height = len(groups) * map_height(data["layer"].nunique())
    figure, axes = subplots(PAGE_WIDTH, height, nrows=len(groups), ncols=2, width_ratios=(9, 1), sharey=True)
    numbers = {}
    for (left, right), group, letter in zip(axes, groups, "abcd", strict=False):
        rows = data[data["group"] == group]
        matrix = layer_matrix(rows, VALUE)
        mesh = heat_map(left, matrix, highlight=head)
        layer_bars(right, matrix.sum(axis=1).to_frame(), [COLOURS[group]], "layer sum")
        colour_bar(mesh, right, "mean max |gradient|")
        panel_label(left, letter)
        left.set_title(labels[group], color=COLOURS[group])
        numbers[group] = {
            "label": labels[group],
            "n": int(rows["n_paragraphs"].iloc[0]),
            "sum": float(rows[VALUE].sum()),
            "strongest": strongest_component(rows, VALUE),
        }
    return Drawing(figure, data, {"groups": numbers, "layer": head[0], "head": head[1]})
