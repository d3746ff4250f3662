"""Figure 9: gradients of the weights, from non-memorized to memorized paragraphs (paper 5.1, A.2)."""

from typing import Any

import pandas as pd

from memloc.figures.parts.gradient_summary import group_numbers, layer_numbers
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

ATTENTION = ("W_Q", "W_K", "W_V", "W_O")
BAR_COLOURS = {"attention": "0.2", "MLP": "0.65"}


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """A map of max |gradient| per EM bin, and per layer the sum of |gradient| over attention and MLP weights.

    Bins without a sampled paragraph are left out.
    """
    gradients = tables["parameter_gradients"]
    groups = [group for group in BY_EXACT_MATCH if (gradients["group"] == group).any()]
    data = gradients[gradients["group"].isin(groups)].drop(columns=["nll_term_norm", "kl_term_norm"])
    head, labels = highlighted_head(tables, settings), set_labels(settings)
    height = len(groups) * map_height(data["layer"].nunique())
    figure, axes = subplots(PAGE_WIDTH, height, nrows=len(groups), ncols=2, width_ratios=(7, 1), sharey=True)
    for (left, right), group, letter in zip(axes, groups, "abcd", strict=False):
        rows = data[data["group"] == group]
        mesh = heat_map(left, layer_matrix(rows, "max_abs"), highlight=head)
        layer_bars(right, block_sums(rows), list(BAR_COLOURS.values()), "sum |gradient|")
        colour_bar(mesh, right, "max |gradient|")
        panel_label(left, letter)
        left.set_title(labels[group], color=COLOURS[group])
    axes[0, 1].legend(loc="lower center", bbox_to_anchor=(0.5, 1), borderaxespad=0.2, handlelength=1)
    return Drawing(
        figure, data, _numbers(data, tables["sets"], {group: labels[group] for group in groups}, *head)
    )


def block_sums(rows: pd.DataFrame) -> pd.DataFrame:
    """Sum of |gradient| over the attention weights and over the MLP weights of every layer (index)."""
    block = rows["component"].isin(ATTENTION).map({True: "attention", False: "MLP"})
    sums = rows.groupby(["layer", block])["sum_abs"].sum()
    return sums.unstack()[list(BAR_COLOURS)]


def _numbers(
    data: pd.DataFrame, sets: pd.DataFrame, groups: dict[str, str], layer: int, head: int
) -> dict[str, Any]:
    sampled = sets.loc[sets["sampled"], "set"].value_counts()
    numbers = {}
    for group, label in groups.items():
        rows = data[data["group"] == group]
        numbers[group] = {
            **group_numbers(rows, layer, head),
            "label": label,
            "n": int(sampled[group]),
            "attention_share": float(block_sums(rows)["attention"].sum() / rows["sum_abs"].sum()),
        }
    return {
        "groups": numbers,
        "layer": layer,
        "head": head,
        **layer_numbers(data),
        "sizes_differ": len({numbers[group]["n"] for group in groups}) > 1,
    }
