"""Rank of every attention head by every localization method, and how far the methods agree (extended)."""

import math
from itertools import combinations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from memloc.figures.parts.head_marks import name_heads, outline
from memloc.figures.parts.heatmap import MAX_LAYER_LABELS
from memloc.figures.parts.methods import method_label, methods_of
from memloc.figures.parts.style import DIVERGING, SEQUENTIAL, Drawing, panel_labels, subplots
from memloc.localization.highlight import highlighted_head
from memloc.settings.base import Section
from memloc.tables.terms.head_ranking import COMBINED


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Methods x heads, colour = rank; Kendall's tau of each pair of methods."""
    layer, head = highlighted_head(tables, settings)
    ranking = tables["head_ranking"]
    methods = methods_of(ranking)
    ranks = ranking.pivot(index="method", columns=["layer", "head"], values="rank").loc[methods]
    ranks = ranks.sort_index(axis="columns")
    scores = ranking.pivot(index=["layer", "head"], columns="method", values="score")[methods]
    agreement, alone = scores.corr("kendall"), by_layers_alone(scores)
    figure, (left, right) = subplots(2.6, ncols=2, width_ratios=(2.2, 1))
    _draw_ranks(left, ranks, layer, head)
    _draw_agreement(right, agreement, alone)
    panel_labels((left, right))
    name_heads(figure, (layer, head))
    pairs = list(combinations([method for method in methods if method != COMBINED], 2))
    chosen = ranking[(ranking["layer"] == layer) & (ranking["head"] == head)].set_index("method")
    numbers = {
        "layer": layer,
        "head": head,
        "n_heads": ranks.shape[1],
        "ranks": chosen.loc[methods, ["rank", "low", "high"]].rename(index=method_label).to_dict("index"),
        "observed": float(np.mean([agreement.loc[pair] for pair in pairs])),
        "alone": float(np.mean([alone.loc[pair] for pair in pairs])),
    }
    return Drawing(figure, ranking, numbers)


def _draw_ranks(axes: Axes, ranks: pd.DataFrame, layer: int, head: int) -> None:
    image = axes.imshow(ranks.to_numpy(), aspect="auto", cmap=f"{SEQUENTIAL}_r", vmin=1, interpolation="none")
    axes.figure.colorbar(image, ax=axes, label="rank (1 = strongest)", pad=0.02)
    axes.set_yticks(range(len(ranks)), [method_label(method) for method in ranks.index])
    layers = ranks.columns.get_level_values("layer")
    starts = np.flatnonzero(np.diff(layers, prepend=-1))
    n_heads = ranks.shape[1] // len(starts)
    named = starts[:: math.ceil(len(starts) / MAX_LAYER_LABELS)]
    axes.set_xticks(named + (n_heads - 1) / 2, [f"{number}" for number in layers[named]])
    axes.tick_params(axis="x", length=0)
    for start in starts[1:]:
        axes.axvline(start - 0.5, color="white", lw=min(1.2, MAX_LAYER_LABELS / len(starts)))
    place = list(ranks.columns).index((layer, head))
    outline(axes, place - 0.5, -0.5, height=len(ranks))
    axes.set_xlabel("layer, and its heads from left to right")


def by_layers_alone(scores: pd.DataFrame) -> pd.DataFrame:
    """Mean Kendall's tau-b of two methods when the heads of each layer exchange their scores at random.

    It shows how far methods agree because they prefer the same layers. Pairs of heads in one layer then agree
    as often as not. Pairs in two layers agree as often as the mean signs of their differences say.

    Args:
        scores: a column per method, a row per (layer, head).

    Returns:
        A matrix of methods x methods.
    """
    layers = scores.index.get_level_values("layer")
    n = layers.value_counts().sort_index()
    means, norms = {}, {}
    for method, own in scores.items():
        signs = pd.DataFrame(np.sign(np.subtract.outer(own.to_numpy(), own.to_numpy())), layers, layers)
        means[method] = (signs.groupby(level=0).mean().T.groupby(level=0).mean()).to_numpy()
        norms[method] = np.sqrt(signs.abs().to_numpy().sum())
    found = {
        one: {
            other: (means[one] * means[other] * np.outer(n, n)).sum() / norms[one] / norms[other]
            for other in scores
        }
        for one in scores
    }
    return pd.DataFrame(found)


def _draw_agreement(axes: Axes, agreement: pd.DataFrame, alone: pd.DataFrame) -> None:
    """The methods' agreement above the diagonal; below it, with the heads of each layer in random order."""
    matrix = np.where(np.triu(np.ones(agreement.shape)), agreement, alone)
    np.fill_diagonal(matrix, np.nan)
    methods = agreement.index
    axes.set_facecolor("0.9")
    image = axes.imshow(matrix, cmap=DIVERGING, vmin=-1, vmax=1, interpolation="none")
    axes.figure.colorbar(image, ax=axes, label="Kendall's \u03c4", pad=0.02)
    labels = [method_label(method).replace(" ", "\n", 1) for method in methods]
    axes.set_xticks(range(len(methods)), labels, rotation=90)
    axes.set_yticks([])
    axes.plot([-0.5, len(methods) - 0.5], [-0.5, len(methods) - 0.5], color="black", lw=0.8)
    axes.set_title("above: observed", fontsize=6, loc="right")
    axes.set_ylabel("below: by layers alone", fontsize=6)
    for (row, column), value in np.ndenumerate(matrix):
        if row != column:
            text = f"{value:.2f}".replace("0.", ".").replace("-", "\u2212")
            colour = "white" if abs(value) > 0.6 else "black"
            axes.text(column, row, text, ha="center", va="center", fontsize=5, color=colour)
