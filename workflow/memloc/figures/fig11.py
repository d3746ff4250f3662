"""Figure 11: two-way activation patching at the perturbed token (paper A.3)."""

from typing import Any

import pandas as pd

from memloc.figures.parts.gradient_summary import place, scores_of_heads, strongest_component
from memloc.figures.parts.head_marks import name_heads
from memloc.figures.parts.heatmap import colour_bar, heat_map, layer_matrix, map_height, mark_signs
from memloc.figures.parts.style import DIRECTION_LABELS, PAGE_WIDTH, Drawing, panel_labels, subplots
from memloc.localization.highlight import head_of_other_methods, highlighted_head
from memloc.settings.base import Section
from memloc.statistics import uncertainty

SITE = ["layer", "component", "head"]


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Mean change in the NLL of the impact token (nats) for q, k and v of every head, a map per direction."""
    data = summary(tables["patching"], tables["attribution_patching"])
    judged = head_of_other_methods(tables, settings, "patching")
    marks = {"highlight": highlighted_head(tables, settings), "judged": judged}
    exact = bool((tables["patching"]["method"] == "exact").all())
    height = 2 * map_height(data["layer"].nunique()) + 0.2
    figure, axes = subplots(height, PAGE_WIDTH * 0.9, nrows=2)
    for panel, (direction, title) in zip(axes, DIRECTION_LABELS.items(), strict=True):
        rows = data[data["direction"] == direction]
        mesh = heat_map(panel, layer_matrix(rows, "mean"), diverging=True, **marks)
        mark_signs(panel, layer_matrix(rows, "low"), layer_matrix(rows, "high"))
        colour_bar(mesh, panel, "change in NLL (nats)" if exact else "estimated change\nin NLL (nats)")
        panel.set_title(title)
    panel_labels(axes)
    name_heads(figure, marks["highlight"], "judged here", judged)
    pairs = tables["perturbed_paragraphs"]
    numbers = {
        "exact": exact,
        "n_pairs": len(pairs),
        "n_adjacent": int((pairs["position"] == pairs["impact_position"] - 1).sum()),
        "layer": judged[0],
        "head": judged[1],
        "n_heads": len(data[["layer", "head"]].drop_duplicates()),
        "n_cells": len(data),
        "n_marked": int(((data["low"] > 0) | (data["high"] < 0)).sum()),
        "directions": {name: _numbers(data[data["direction"] == name], judged) for name in DIRECTION_LABELS},
    }
    return Drawing(figure, data, numbers)


def summary(patching: pd.DataFrame, attribution_patching: pd.DataFrame) -> pd.DataFrame:
    """Changes over pairs, a row per direction and site: mean, interval, median, share of rises, estimate."""
    keys = ["direction", *SITE]
    changes = patching.groupby(keys)["nll_change"]
    estimate = attribution_patching.groupby(keys)["nll_change"].mean()
    return pd.DataFrame(
        {
            **uncertainty.means(changes).rename(columns={"value": "mean", "n": "n_pairs"}),
            "median": changes.median(),
            "share_rises": changes.agg(lambda change: (change > 0).mean()),
            "first_order_estimate": estimate,
        }
    ).reset_index()


def _numbers(rows: pd.DataFrame, head: tuple[int, int]) -> dict[str, Any]:
    rows = rows.assign(size=rows["mean"].abs())
    strongest = rows.loc[rows["size"].idxmax()]
    return {
        "strongest": strongest_component(rows, "size"),
        "mean": uncertainty.Interval(*strongest[["mean", "low", "high"]], int(strongest["n_pairs"])),
        "place": place(scores_of_heads(rows, "size"), head),
    }
