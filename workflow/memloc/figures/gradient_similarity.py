"""Do memorized and other paragraphs pull weights and activations in one direction: cosines (extended)."""

import pandas as pd

from memloc.figures.parts.gradient_summary import strongest_component
from memloc.figures.parts.heatmap import MapPanel, layer_matrix, maps_with_bars
from memloc.figures.parts.style import Drawing
from memloc.localization.highlight import highlighted_head
from memloc.settings.base import Section

HALVES = {
    "cosine_memorized": "activations: two halves of memorized",
    "cosine_non_memorized": "activations: two halves of non-memorized",
}


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Maps of cosines, layers x components: of weights and of activations between the sets, and of
    activations between the halves of each set. Bars: mean per layer. Grey: a gradient is exactly zero.
    """
    weights, activations = tables["gradient_similarity"], tables["activation_similarity"]
    layer, head = highlighted_head(tables, settings)
    panels = [
        _panel(weights, "cosine", "weights: memorized and non-memorized"),
        _panel(activations, "cosine", "activations: memorized and non-memorized"),
        *(_panel(activations, column, title) for column, title in HALVES.items()),
    ]
    figure = maps_with_bars(panels, (layer, head), ("cosine similarity", "mean"), limit=1)
    halves = activations[[*HALVES]]
    numbers = {
        "layer": layer,
        "head": head,
        "weights": _numbers(weights),
        "activations": _numbers(activations),
        "halves": {column: float(halves[column].mean()) for column in HALVES},
        "n_below_halves": int((activations["cosine"] < halves.min(axis=1)).sum()),
    }
    data = pd.concat([weights.assign(of="weights"), activations.assign(of="activations")], ignore_index=True)
    return Drawing(figure, data, numbers)


def _panel(rows: pd.DataFrame, column: str, title: str) -> MapPanel:
    return MapPanel(layer_matrix(rows, column), rows.groupby("layer")[[column]].mean(), ["0.45"], title)


def _numbers(rows: pd.DataFrame) -> dict:
    return {
        "mean": float(rows["cosine"].mean()),
        "largest": strongest_component(rows, "cosine"),
        "max": float(rows["cosine"].max()),
        "min": float(rows["cosine"].min()),
        "n_components": len(rows),
        "n_negative": int((rows["cosine"] < 0).sum()),
        "n_undefined": int(rows["cosine"].isna().sum()),
    }
