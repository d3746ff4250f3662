"""Which localization methods agree on heads within each model, and on layers across models (extended)."""

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from memloc.figures.parts.across import layer_profiles, looks
from memloc.figures.parts.methods import method_label
from memloc.figures.parts.style import DIVERGING, PAGE_WIDTH, Drawing, panel_label, subplots
from memloc.settings.base import Section
from memloc.statistics.uncertainty import correlation_p

SIGNIFICANCE = 0.05
FEWEST_DECIDED = 5  # with fewer layers, no order of them is rare enough for the significance above


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """a: Kendall's tau of each pair of methods in every model. b: Pearson correlation of layer profiles."""
    pairs = pairs_of_methods(tables["ranking_agreement"])
    layers = _correlations_across_models(
        layer_profiles(tables["head_ranking"]), list(tables["models"]["model"])
    )
    figure, (left, right) = subplots(
        PAGE_WIDTH, 0.24 * max(pairs["pair"].nunique(), 8) + 0.9, ncols=2, width_ratios=(1.5, 1)
    )
    _draw_pairs(left, pairs, looks(tables["models"]))
    _draw_correlations(right, layers)
    panel_label(left, "a")
    panel_label(right, "b")
    data = pd.concat([pairs.assign(panel="a"), layers.assign(panel="b")], ignore_index=True)
    return Drawing(figure, data, _numbers(pairs, layers, tables["models"]))


def pairs_of_methods(agreement: pd.DataFrame) -> pd.DataFrame:
    """Kendall's tau of each pair of methods and model, but for the combined ranking, which holds them all."""
    rows = agreement[(agreement["method_a"] != "combined") & (agreement["method_b"] != "combined")]
    names = [f"{method_label(row.method_a)} \u2013 {method_label(row.method_b)}" for row in rows.itertuples()]
    return rows.assign(pair=names).rename(columns={"kendall": "value"})


def _correlations_across_models(profiles: pd.DataFrame, models: list[str]) -> pd.DataFrame:
    """Correlation of a method's layer profile in one model with that in the next larger one."""
    rows = []
    for method, of_method in profiles.groupby("method", sort=False):
        of_model = {model: of_method[of_method["model"] == model] for model in models}
        for first, second in pairwise(models):
            value, p_value, n_points = profile_correlation(of_model[first], of_model[second])
            pair = f"{first} \u2013 {second}"
            rows.append((method_label(method), pair, value, p_value, n_points))
    return pd.DataFrame(rows, columns=["method", "pair", "value", "p_value", "n_layers"])


def profile_correlation(first: pd.DataFrame, second: pd.DataFrame) -> tuple[float, float, int]:
    """Pearson correlation of two layer profiles (depth, strength), its p-value, and the number of points.

    The profile with more layers is read, by linear interpolation, where the other one has its layers. The
    p-value is that of a permutation of the layers, since so few points follow no distribution. Nothing where
    there are fewer than three layers (any two points lie on a line) or a profile is flat.
    """
    shallow, deep = sorted((first, second), key=len)
    read = np.interp(shallow["depth"], deep["depth"], deep["strength"])
    own = shallow["strength"].to_numpy()
    if len(own) < 3 or np.ptp(own) == 0 or np.ptp(read) == 0:
        return np.nan, np.nan, len(own)
    return float(np.corrcoef(own, read)[0, 1]), correlation_p(own, read), len(own)


def _draw_pairs(axes: Axes, pairs: pd.DataFrame, styles: dict[str, dict[str, Any]]) -> None:
    """A row per pair of methods and a mark per model, filled where the agreement is beyond chance."""
    order = pairs.groupby("pair")["value"].mean().sort_values().index
    axes.axvline(0, color="0.7", lw=0.6)
    shifts = np.linspace(0.2, -0.2, len(styles))
    for shift, (model, style) in zip(shifts, styles.items(), strict=True):
        rows = pairs[pairs["model"] == model].set_index("pair").reindex(order)
        heights = np.arange(len(order)) + shift
        shown = (rows["p_value"] < SIGNIFICANCE).to_numpy()
        for chosen, face, label in ((shown, style["color"], model), (~shown, "white", None)):
            axes.plot(
                rows["value"][chosen],
                heights[chosen],
                **style | {"ls": "", "ms": 3.5, "mfc": face, "label": label},
            )
    axes.set_yticks(range(len(order)), order)
    axes.tick_params(axis="y", length=0)
    axes.set(
        xlabel=f"Kendall's \u03c4 of the heads' scores (open: p \u2265 {SIGNIFICANCE})", xlim=(-1.05, 1.05)
    )
    for row in range(1, len(order)):
        axes.axhline(row - 0.5, color="0.92", lw=0.5, zorder=0)
    axes.figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=len(styles))


def _draw_correlations(axes: Axes, layers: pd.DataFrame) -> None:
    matrix = layers.pivot(index="method", columns="pair", values="value")
    decided = layers.pivot(index="method", columns="pair", values="p_value") < SIGNIFICANCE
    order = list(dict.fromkeys(layers["method"])), list(dict.fromkeys(layers["pair"]))
    matrix, decided = matrix.loc[order], decided.loc[order]
    axes.set_facecolor("0.9")
    image = axes.imshow(matrix, cmap=DIVERGING, vmin=-1, vmax=1, aspect="auto", interpolation="none")
    axes.figure.colorbar(image, ax=axes, label="correlation of layer profiles", pad=0.02)
    axes.set_xticks(range(matrix.shape[1]), matrix.columns, rotation=90)
    axes.set_yticks(range(len(matrix)), matrix.index)
    axes.tick_params(length=0)
    for (row, column), value in np.ndenumerate(matrix.to_numpy()):
        text = f"{value:.2f}{'*' if decided.iat[row, column] else ''}" if np.isfinite(value) else "\u2013"
        colour = "white" if abs(value) > 0.6 else "black"
        axes.text(column, row, text, ha="center", va="center", fontsize=5, color=colour)


def _numbers(pairs: pd.DataFrame, layers: pd.DataFrame, models: pd.DataFrame) -> dict[str, Any]:
    """Pairs of methods whose tau is above, or below, zero in all models with a p-value below the level."""
    shown = pairs["p_value"] < SIGNIFICANCE
    positive = (shown & (pairs["value"] > 0)).groupby(pairs["pair"]).sum()
    negative = (shown & (pairs["value"] < 0)).groupby(pairs["pair"]).sum()
    means = pairs.groupby("pair")["value"].mean()
    return {
        "significance": SIGNIFICANCE,
        "n_models": len(models),
        "n_pairs": len(positive),
        "agree": list(positive.index[positive == len(models)]),
        "contradict": list(negative.index[negative == len(models)]),
        "n_mixed": int(((positive > 0) & (negative > 0)).sum()),
        "n_nowhere": int(((positive == 0) & (negative == 0)).sum()),
        "strongest": means.idxmax(),
        "strongest_mean": float(means.max()),
        "n_profiles": len(layers),
        "n_profiles_decided": int((layers["p_value"] < SIGNIFICANCE).sum()),
        "n_profiles_short": int((layers["n_layers"] < FEWEST_DECIDED).sum()),
        "fewest_decided": FEWEST_DECIDED,
        "methods": layers.groupby("method", sort=False)["value"].mean().dropna().to_dict(),
    }
