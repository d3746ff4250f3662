"""Figure 4: gradients of the weights, of memorized and other paragraphs and contrastive ones (paper 5)."""

from typing import Any

import pandas as pd

from memloc.figures.parts.gradient_summary import group_numbers, layer_numbers, said_of_sharing
from memloc.figures.parts.heatmap import MapPanel, layer_matrix, maps_with_bars
from memloc.figures.parts.style import COLOURS, LABELS, Drawing
from memloc.localization.highlight import highlighted_head
from memloc.settings.base import Section

GROUPS = ("memorized", "non_memorized", "contrastive")


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """A map of max |gradient| per group, each with its own colours, and its sum over every layer.

    The contrastive objective is shown after one step: before, its gradient is the memorized one, scaled.
    """
    gradients = tables["parameter_gradients"]
    data = gradients[gradients["group"].isin(GROUPS)]
    head = highlighted_head(tables, settings)
    figure = maps_with_bars([_panel(data, group) for group in GROUPS], head, ("max |gradient|", "layer sum"))
    numbers = _numbers(data, tables["sets"], *head) | {"contrastive": settings.contrastive}
    return Drawing(figure, data, numbers)


def _panel(data: pd.DataFrame, group: str) -> MapPanel:
    matrix, colour = layer_matrix(data[data["group"] == group], "max_abs"), COLOURS[group]
    return MapPanel(matrix, matrix.sum(axis=1).to_frame(), [colour], LABELS[group], colour)


def _numbers(data: pd.DataFrame, sets: pd.DataFrame, layer: int, head: int) -> dict[str, Any]:
    groups = {group: group_numbers(rows, layer, head) for group, rows in data.groupby("group")}
    sampled = sets.loc[sets["sampled"], "set"].value_counts()
    terms = (data[["nll_term_norm", "kl_term_norm"]] ** 2).sum() ** 0.5
    return {
        "groups": groups,
        "layer": layer,
        "head": head,
        "shared": said_of_sharing(data, head),
        "n_memorized": int(sampled["memorized"]),
        "n_non_memorized": int(sampled["non_memorized"]),
        "ratio": groups["non_memorized"]["sum"] / groups["memorized"]["sum"],
        **layer_numbers(data),
        "nll_term_norm": float(terms["nll_term_norm"]),
        "kl_term_norm": float(terms["kl_term_norm"]),
    }
