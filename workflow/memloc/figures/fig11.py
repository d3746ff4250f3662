"""Figure 11: two-way activation patching at the perturbed token (paper A.3)."""

import pandas as pd

from memloc.figures.parts import heatmap
from memloc.figures.parts.gradient_summary import place, scores_of_heads, strongest_component
from memloc.figures.parts.heatmap import layer_matrix
from memloc.figures.parts.style import PAGE_WIDTH, Drawing, Numbers, panel_labels, subplots
from memloc.localization.highlight import highlighted_head
from memloc.settings.base import Section
from memloc.statistics import uncertainty

DIRECTION_LABELS = {
    "memorized_into_perturbed": "memorized patched into perturbed",
    "perturbed_into_memorized": "perturbed patched into memorized",
}


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Mean change in the NLL of the impact token (nats) for q, k and v of every head, a map per direction."""
    changes = tables["patching"].groupby(["direction", "layer", "component", "head"])["nll_change"]
    data = uncertainty.means(changes).rename(columns={"value": "mean", "n": "n_pairs"}).reset_index()
    head = highlighted_head(tables, settings)
    exact = bool((tables["patching"]["method"] == "exact").all())
    unit = "change in NLL (nats)" if exact else "estimated change\nin NLL (nats)"
    height = 2 * heatmap.map_height(data["layer"].nunique()) + 0.2
    figure, axes = subplots(height, PAGE_WIDTH * 0.9, nrows=2)
    for panel, (direction, title) in zip(axes, DIRECTION_LABELS.items(), strict=True):
        rows = data[data["direction"] == direction]
        mesh = heatmap.heat_map(panel, layer_matrix(rows, "mean"), diverging=True, highlight=head)
        heatmap.mark_signs(panel, layer_matrix(rows, "low"), layer_matrix(rows, "high"))
        heatmap.colour_bar(mesh, panel, unit)
        panel.set_title(title)
    panel_labels(axes)
    heatmap.name_head(figure, head)
    pairs = tables["perturbed_paragraphs"]
    numbers = {
        "exact": exact,
        "chosen": not settings.highlight,
        "head": f"{head[1]} of layer {head[0]}",
        "n_pairs": len(pairs),
        "n_adjacent": int((pairs["position"] == pairs["impact_position"] - 1).sum()),
        "n_heads": len(data[["layer", "head"]].drop_duplicates()),
        "n_cells": len(data),
        "n_marked": int(((data["low"] > 0) | (data["high"] < 0)).sum()),
        "directions": {name: _numbers(data[data["direction"] == name], head) for name in DIRECTION_LABELS},
    }
    return Drawing(figure, data, numbers)


def _numbers(rows: pd.DataFrame, head: tuple[int, int]) -> Numbers:
    rows = rows.assign(size=rows["mean"].abs())
    strongest = rows.loc[rows["size"].idxmax()]
    return {
        "strongest": strongest_component(rows, "size"),
        "mean": strongest["mean"],
        "sure": bool(strongest["low"] * strongest["high"] > 0),
        "place": place(scores_of_heads(rows, "size"), head),
    }
