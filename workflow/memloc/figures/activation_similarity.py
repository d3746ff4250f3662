"""Directions of memorized and non-memorized activation gradients: cosine similarity (extended)."""

import pandas as pd

from memloc.figures.parts.gradient_summary import strongest_component
from memloc.figures.parts.heatmap import colour_bar, heat_map, layer_bars, layer_matrix, map_height
from memloc.figures.parts.style import PAGE_WIDTH, Drawing, panel_label, subplots
from memloc.localization.highlight import highlighted_head
from memloc.settings.base import Section

PANELS = {
    "cosine": "memorized and non-memorized",
    "cosine_memorized": "two halves of memorized",
    "cosine_non_memorized": "two halves of non-memorized",
}


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Maps of cosines, layers x components: between the sets, and between the halves of each set.

    Bars: mean per layer. Grey: a gradient is exactly zero.
    """
    data = tables["activation_similarity"]
    layer, head = highlighted_head(tables, settings)
    height = len(PANELS) * map_height(data["layer"].nunique())
    figure, axes = subplots(PAGE_WIDTH, height, nrows=len(PANELS), ncols=2, width_ratios=(9, 1), sharey=True)
    layer_means = data.groupby("layer")[[*PANELS]].mean()
    for (left, right), (column, title), letter in zip(axes, PANELS.items(), "abc", strict=True):
        matrix = layer_matrix(data, column)
        mesh = heat_map(left, matrix, diverging=True, limit=1, highlight=(layer, head))
        layer_bars(right, layer_means[[column]], ["0.45"], "mean")
        right.set_xlim(min(0, layer_means.min(axis=None)), layer_means.max(axis=None))
        colour_bar(mesh, right, "cosine similarity")
        panel_label(left, letter)
        left.set_title(title)
    numbers = {
        "layer": layer,
        "head": head,
        "means": {column: float(data[column].mean()) for column in PANELS},
        "largest": strongest_component(data, "cosine"),
        "max": float(data["cosine"].max()),
        "min": float(data["cosine"].min()),
        "n_components": len(data),
        "n_below_halves": int((data["cosine"] < data[[*PANELS][1:]].min(axis=1)).sum()),
        "n_undefined": int(data["cosine"].isna().sum()),
    }
    return Drawing(figure, data, numbers)
