"""Gradients of the activations, from non-memorized to memorized paragraphs (extended)."""

import pandas as pd

from memloc.figures.parts.gradient_summary import strongest_component
from memloc.figures.parts.heatmap import MapPanel, layer_matrix, maps_with_bars
from memloc.figures.parts.style import BY_EXACT_MATCH, COLOURS, Drawing, set_labels
from memloc.localization.highlight import highlighted_head
from memloc.settings.base import Section

VALUE = "mean_max_abs"


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """A map of mean activation gradients per EM bin, layers x components; bars: sum per layer.

    Bins without a sampled paragraph are left out.
    """
    data = tables["activation_bins"]
    labels, (layer, head) = set_labels(settings), highlighted_head(tables, settings)
    panels, numbers = [], {}
    for group in BY_EXACT_MATCH:
        rows = data[data["group"] == group]
        if rows.empty:
            continue
        matrix, colour = layer_matrix(rows, VALUE), COLOURS[group]
        panels.append(MapPanel(matrix, matrix.sum(axis=1).to_frame(), [colour], labels[group], colour))
        numbers[group] = {
            "label": labels[group],
            "n": int(rows["n_paragraphs"].iloc[0]),
            "sum": float(rows[VALUE].sum()),
            "strongest": strongest_component(rows, VALUE),
        }
    figure = maps_with_bars(panels, (layer, head), ("mean max |gradient|", "layer sum"))
    return Drawing(figure, data, {"groups": numbers, "layer": layer, "head": head})
