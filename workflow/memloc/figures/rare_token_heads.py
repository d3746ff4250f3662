"""Rare-token correlation of every head of every layer, by sum and by occurrence (extends Figure 7)."""

from typing import Any

import pandas as pd

from memloc.figures.parts.heatmap import colour_bar, heat_map, map_height, mark_cells
from memloc.figures.parts.style import PAGE_WIDTH, Drawing, subplots
from memloc.localization.highlight import highlighted_head
from memloc.settings.base import Section

PANELS = {"pearson": "attention summed over paragraphs", "pearson_mean": "mean attention per occurrence"}
CHANCE = 0.05  # share of heads beyond a 95 % interval of the null if no head cares for rarity


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Layers x heads, by sum and by occurrence; triangles mark heads beyond their null interval.

    They point down where the correlation is below the interval, up where it is above.
    """
    correlation = tables["rare_token_correlation"]
    highlight = highlighted_head(tables, settings)
    values = _matrix(correlation, "")
    figure, axes = subplots(PAGE_WIDTH * 0.9, map_height(len(values)) + 0.1)
    mesh = heat_map(axes, values, diverging=True, limit=1.0, highlight=highlight)
    mark_cells(axes, values < _matrix(correlation, "_null_q025"), "v")
    mark_cells(axes, values > _matrix(correlation, "_null_q975"), "^")
    colour_bar(mesh, axes, "correlation with the rank", fraction=0.12)
    return Drawing(figure, correlation, _numbers(correlation, *highlight))


def _matrix(correlation: pd.DataFrame, suffix: str) -> pd.DataFrame:
    """Layers x (panel, head) of the columns with this suffix."""
    by_head = correlation.set_index(["layer", "head"])[[name + suffix for name in PANELS]]
    return by_head.set_axis(PANELS.values(), axis=1).unstack("head").sort_index()


def _numbers(correlation: pd.DataFrame, layer: int, head: int) -> dict[str, Any]:
    heads = correlation.set_index(["layer", "head"])
    return {
        "layer": layer,
        "head": head,
        "n_heads": len(heads),
        "n_by_chance": CHANCE * len(heads),
        "n_permutations": int(correlation["n_permutations"].iloc[0]),
        "sum": _correlation_numbers(heads, "pearson", (layer, head)),
        "mean": _correlation_numbers(heads, "pearson_mean", (layer, head)),
    }


def _correlation_numbers(heads: pd.DataFrame, name: str, head: tuple[int, int]) -> dict[str, Any]:
    ordered, below = heads[name].sort_values(), heads[name] < heads[f"{name}_null_q025"]
    by_layer = below.groupby("layer").sum()
    return {
        "lowest_layer": int(ordered.index[0][0]),
        "lowest_head": int(ordered.index[0][1]),
        "lowest": float(ordered.iloc[0]),
        "n_below": int(below.sum()),
        "n_above": int((heads[name] > heads[f"{name}_null_q975"]).sum()),
        "layers_below": ", ".join(f"layer {layer}: {n}" for layer, n in by_layer.items() if n),
        "value": float(heads.loc[head, name]),
        "place": int(ordered.index.get_loc(head)) + 1,
    }
