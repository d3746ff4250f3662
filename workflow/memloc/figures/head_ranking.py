"""Rank of every attention head by every localization method, and how far the methods agree (extended)."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from memloc.figures.heatmap import MAX_LAYER_LABELS
from memloc.figures.highlight import highlighted_head
from memloc.figures.style import (
    COLOURS,
    DIVERGING,
    METHOD_LABELS,
    PAGE_WIDTH,
    SEQUENTIAL,
    Drawing,
    panel_label,
    subplots,
)


def draw(tables: dict[str, pd.DataFrame], settings: dict) -> Drawing:
    """Left: methods (rows) x heads (columns), colour = rank. Right: Kendall's tau of each pair of methods."""
    layer, head = highlighted_head(tables, settings)
    ranking, agreement = tables["head_ranking"], tables["ranking_agreement"]
    methods = [method for method in METHOD_LABELS if method in set(ranking["method"])]
    ranks = ranking.pivot(index="method", columns=["layer", "head"], values="rank").loc[methods]
    ranks = ranks.sort_index(axis="columns")
    figure, (left, right) = subplots(PAGE_WIDTH, 2.5, ncols=2, width_ratios=(2.2, 1))
    _draw_ranks(left, ranks, layer, head)
    _draw_agreement(right, agreement, methods)
    panel_label(left, "a")
    panel_label(right, "b")
    pairs = agreement[(agreement["method_a"] != "combined") & (agreement["method_b"] != "combined")]
    numbers = {
        "exact_patching": bool((tables["patching"]["method"] == "exact").all()),
        "layer": layer,
        "head": head,
        "n_heads": ranks.shape[1],
        "ranks": {METHOD_LABELS[method]: int(ranks.loc[method, (layer, head)]) for method in methods},
        "kendall_mean": float(pairs["kendall"].mean()),
        "kendall_min": float(pairs["kendall"].min()),
        "kendall_max": float(pairs["kendall"].max()),
    }
    return Drawing(figure, ranking, numbers)


def _draw_ranks(axes: Axes, ranks: pd.DataFrame, layer: int, head: int) -> None:
    image = axes.imshow(ranks.to_numpy(), aspect="auto", cmap=f"{SEQUENTIAL}_r", vmin=1, interpolation="none")
    axes.figure.colorbar(image, ax=axes, label="rank (1 = strongest)", pad=0.02)
    axes.set_yticks(range(len(ranks)), [METHOD_LABELS[method] for method in ranks.index])
    layers = ranks.columns.get_level_values("layer")
    starts = np.flatnonzero(np.diff(layers, prepend=-1))
    n_heads = ranks.shape[1] // len(starts)
    named = starts[:: math.ceil(len(starts) / MAX_LAYER_LABELS)]
    axes.set_xticks(named + (n_heads - 1) / 2, [f"{number}" for number in layers[named]])
    axes.tick_params(axis="x", length=0)
    for start in starts[1:]:
        axes.axvline(start - 0.5, color="white", lw=min(1.2, MAX_LAYER_LABELS / len(starts)))
    place = list(ranks.columns).index((layer, head))
    outline = {"fill": False, "ec": COLOURS["memorized"], "lw": 1.2, "clip_on": False}
    axes.add_patch(Rectangle((place - 0.5, -0.5), 1, len(ranks), **outline))
    axes.set_xlabel("layer, and its heads from left to right")


def _draw_agreement(axes: Axes, agreement: pd.DataFrame, methods: list[str]) -> None:
    matrix = pd.DataFrame(np.eye(len(methods)), methods, methods)
    for row in agreement.itertuples():
        matrix.loc[row.method_a, row.method_b] = matrix.loc[row.method_b, row.method_a] = row.kendall
    image = axes.imshow(matrix, cmap=DIVERGING, vmin=-1, vmax=1, interpolation="none")
    axes.figure.colorbar(image, ax=axes, label="Kendall's \u03c4", pad=0.02)
    labels = [METHOD_LABELS[method] for method in methods]
    axes.set_xticks(range(len(methods)), labels, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks([])
    for (row, column), value in np.ndenumerate(matrix.to_numpy()):
        colour = "white" if abs(value) > 0.6 else "black"
        axes.text(
            column, row, f"{value:.2f}".replace("0.", "."), ha="center", va="center", fontsize=5, color=colour
        )
