"""Cosine similarity of the memorized and the non-memorized gradient of every component (extended)."""

import pandas as pd

from memloc.figures.parts.gradient_summary import strongest_component
from memloc.figures.parts.heatmap import colour_bar, heat_map, layer_bars, layer_matrix, map_height
from memloc.figures.parts.style import PAGE_WIDTH, Drawing, subplots
from memloc.localization.highlight import highlighted_head
from memloc.settings.base import Section


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Map of cosines, layers x components; bars: their mean per layer. Grey: a gradient is exactly zero."""
    data = tables["gradient_similarity"]
    layer, head = highlighted_head(tables, settings)
    matrix = layer_matrix(data, "cosine")
    figure, (left, right) = subplots(
        PAGE_WIDTH, map_height(len(matrix)), ncols=2, width_ratios=(9, 1), sharey=True
    )
    mesh = heat_map(left, matrix, diverging=True, highlight=(layer, head))
    layer_bars(right, matrix.mean(axis=1).to_frame(), ["0.45"], "mean")
    colour_bar(mesh, right, "cosine similarity")
    numbers = {
        "layer": layer,
        "head": head,
        "mean": float(data["cosine"].mean()),
        "largest": strongest_component(data, "cosine"),
        "max": float(data["cosine"].max()),
        "min": float(data["cosine"].min()),
        "n_components": len(data),
        "n_negative": int((data["cosine"] < 0).sum()),
        "n_undefined": int(data["cosine"].isna().sum()),
    }
    return Drawing(figure, data, numbers)
