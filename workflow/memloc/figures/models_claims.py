"""Which claims hold for which model, and what is compared of heads that have no identity across models."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from memloc.figures.parts.across import looks, pairs_of_methods
from memloc.figures.parts.style import METHOD_LABELS, PAGE_WIDTH, Drawing, panel_label, subplots
from memloc.figures.parts.verdict_marks import draw_grid, draw_legend, survival, survival_numbers
from memloc.settings.base import Section


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """a: verdict on every claim. b: agreement of methods within a model. c: where the first head lies."""
    claims, models = tables["claims"], list(tables["models"]["model"])
    styles = looks(tables["models"])
    pairs = pairs_of_methods(tables["ranking_agreement"])
    firsts = first_layers(tables["head_ranking"])
    height = max(0.125 * claims["id"].nunique() + 0.8, 3.2)
    figure, axes = subplots(
        PAGE_WIDTH, height, ncols=2, nrows=2, width_ratios=(len(models) + 1, 5), height_ratios=(1, 1.4)
    )
    grid = axes[0, 0].get_gridspec()
    for each in axes[:, 0]:
        each.remove()
    left = figure.add_subplot(grid[:, 0])
    spread = survival(claims, "model")
    draw_grid(left, claims, spread, "model", models)
    left.tick_params(axis="x", rotation=90 if max(map(len, models)) > 4 else 0)
    draw_legend(left, "outside upper left")
    _draw_agreement(axes[0, 1], pairs, styles)
    _draw_layers(axes[1, 1], firsts, styles)
    for each, letter in zip((left, *axes[:, 1]), "abc", strict=True):
        panel_label(each, letter)
    parts = {"a": spread, "b": pairs, "c": firsts}
    data = pd.concat([part.assign(panel=panel) for panel, part in parts.items()], ignore_index=True)
    return Drawing(figure, data, survival_numbers(spread, len(models)) | _numbers(pairs, firsts))


def first_layers(ranking: pd.DataFrame) -> pd.DataFrame:
    """Where each model's first head by each method lies: model, method, layer, head, depth (0 to 1)."""
    n_layers = ranking.groupby("model")["layer"].transform("max") + 1
    placed = ranking.assign(depth=(ranking["layer"] + 0.5) / n_layers)
    columns = ["model", "method", "layer", "head", "depth"]
    return placed.loc[placed["rank"] == 1, columns].drop_duplicates(["model", "method"], ignore_index=True)


def _draw_agreement(axes: Axes, pairs: pd.DataFrame, styles: dict[str, dict[str, Any]]) -> None:
    """A line per model, a point per pair of methods, in the order of their mean."""
    order = pairs.groupby("pair")["value"].mean().sort_values().index
    axes.axhline(0, color="0.7", lw=0.6)
    for model, style in styles.items():
        values = pairs[pairs["model"] == model].set_index("pair")["value"].reindex(order)
        axes.plot(range(len(order)), values, **style | {"lw": 0.7})
    axes.set_xticks([])
    axes.set(xlabel="pairs of methods", ylabel="Kendall's \u03c4 within a model", ylim=(-1.05, 1.05))
    axes.legend(loc="lower right", ncols=2)


def _draw_layers(axes: Axes, firsts: pd.DataFrame, styles: dict[str, dict[str, Any]]) -> None:
    methods = list(dict.fromkeys(firsts["method"]))
    shifts = np.linspace(-0.2, 0.2, len(styles))
    for shift, (model, style) in zip(shifts, styles.items(), strict=True):
        rows = firsts[firsts["model"] == model].set_index("method").reindex(methods)
        axes.plot(rows["depth"], np.arange(len(methods)) + shift, **style | {"ls": "", "ms": 4.5})
    axes.set_yticks(range(len(methods)), [METHOD_LABELS[method] for method in methods])
    axes.set(xlabel="relative depth of the first head", xlim=(0, 1), ylim=(len(methods) - 0.5, -0.5))


def _numbers(pairs: pd.DataFrame, firsts: pd.DataFrame) -> dict[str, Any]:
    """Mean agreement within each model, how far it follows that of the others, and methods with one layer."""
    table = pairs.pivot(index="pair", columns="model", values="value")
    between = table.corr(method="spearman").to_numpy()[np.triu_indices(table.shape[1], k=1)]
    n_depths = firsts.groupby("method", sort=False, observed=True)["depth"].nunique()
    return {
        "agreement": table.mean()[list(dict.fromkeys(pairs["model"]))].to_dict(),
        "n_pairs": len(table),
        "profile": float(np.mean(between)),
        "same_depth": [METHOD_LABELS[method] for method in n_depths.index[n_depths == 1]],
        "n_methods": len(n_depths),
    }
