"""Figure 3: replacing single prefix tokens, in one memorized paragraph and on average (paper 4)."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy.stats import spearmanr

from memloc.figures.perturbation_example import draw_example, em_drops, example_ids, strongest
from memloc.figures.style import COLOURS, LABELS, PAGE_WIDTH, Drawing, panel_label, subplots
from memloc.figures.token_map import label_height, prefix_texts

SETS = ("memorized", "non_memorized")
CONFIDENCE = 0.95
N_RESAMPLES = 2000


def draw(tables: dict[str, pd.DataFrame], settings: dict) -> Drawing:
    """(a) NLL and EM of an example per replaced token; (b) mean EM drop per position with bootstrap bands."""
    n_prefix = settings["paragraph"]["prefix"]
    example = example_ids(tables)[0]
    panels = [1.0, 1.0, 1.7]  # inches
    height = sum(panels) + label_height(prefix_texts(tables, example, n_prefix)) + 0.8
    figure, (nll_axes, em_axes, mean_axes) = subplots(PAGE_WIDTH, height, nrows=3, height_ratios=panels)
    example_data, example_numbers = draw_example(nll_axes, em_axes, tables, example, n_prefix)

    drops = em_drops(tables["perturbation"])
    matrices = {name: drop_matrix(drops[drops["set"] == name]) for name in SETS}
    resamples = {name: resampled_means(matrix.to_numpy()) for name, matrix in matrices.items()}
    mean_data = pd.concat(
        [_draw_mean(mean_axes, name, matrices[name], resamples[name]) for name in SETS], ignore_index=True
    )
    mean_axes.set(xlabel="replaced prefix token (position)", ylabel="mean drop of exact match\n(tokens)")
    mean_axes.set(xlim=(-0.7, n_prefix - 0.3), ylim=(0, None))
    mean_axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    panel_label(nll_axes, "a")
    panel_label(mean_axes, "b")

    numbers = {"example": example_numbers, **_numbers(drops, matrices, resamples)}
    data = pd.concat([example_data.assign(panel="a"), mean_data.assign(panel="b")], ignore_index=True)
    return Drawing(figure, data[["panel", *data.columns.drop("panel")]], numbers)


def drop_matrix(drops: pd.DataFrame) -> pd.DataFrame:
    """EM drop of each paragraph (rows) at each position (columns), mean over draws."""
    return drops.pivot_table(index="id", columns="position", values="em_drop", aggfunc="mean")


def resampled_means(drops: np.ndarray) -> np.ndarray:
    """Mean drop per position over paragraphs drawn with replacement; [resample, position]."""
    n = len(drops)
    times_drawn = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), size=N_RESAMPLES)
    return times_drawn @ drops / n


def interval(values: np.ndarray) -> np.ndarray:
    """Low and high end of the module's percentile interval, along the first axis."""
    return np.quantile(values, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=0)


def late_minus_early(means: np.ndarray) -> np.ndarray:
    """Mean drop over the second half of the positions (last axis) minus that over the first half."""
    half = means.shape[-1] // 2
    return means[..., -half:].mean(axis=-1) - means[..., :half].mean(axis=-1)


def _draw_mean(axes: Axes, name: str, drops: pd.DataFrame, resamples: np.ndarray) -> pd.DataFrame:
    low, high = interval(resamples)
    text = (
        f"{LABELS[name]}: {drops.to_numpy().mean():.1f} tokens per replaced token ({len(drops)} paragraphs)"
    )
    axes.fill_between(drops.columns, low, high, color=COLOURS[name], alpha=0.2, lw=0)
    axes.plot(drops.columns, drops.mean(), color=COLOURS[name], label=text)
    columns = {"position": drops.columns, "em_drop": drops.mean().to_numpy(), "low": low, "high": high}
    return pd.DataFrame({"set": name, **columns})


def _numbers(
    drops: pd.DataFrame, matrices: dict[str, pd.DataFrame], resamples: dict[str, np.ndarray]
) -> dict[str, Any]:
    """Mean drops, their difference and trend over positions, with intervals; the largest single drops."""
    numbers: dict[str, Any] = {"confidence": CONFIDENCE, "n_draws": int(drops["draw"].max()) + 1}
    means = {name: matrix.to_numpy().mean(axis=0) for name, matrix in matrices.items()}
    for name, matrix in matrices.items():
        numbers[name] = {
            "n": len(matrix),
            "drop": _with_interval(means[name].mean(), resamples[name].mean(axis=1)),
            "late": _with_interval(late_minus_early(means[name]), late_minus_early(resamples[name])),
            "spearman": float(spearmanr(matrix.columns, means[name]).statistic),
            "last": float(means[name][-1]),
        }
    difference = resamples["non_memorized"].mean(axis=1) - resamples["memorized"].mean(axis=1)
    numbers["difference"] = _with_interval(
        means["non_memorized"].mean() - means["memorized"].mean(), difference
    )
    largest = strongest(drops[drops["set"] == "memorized"])["em_drop"]
    numbers["largest"] = {"max": int(largest.max()), "n_45": int((largest >= 45).sum()), "n": len(largest)}
    return numbers


def _with_interval(value: float, resamples: np.ndarray) -> dict[str, float]:
    low, high = interval(resamples)
    return {"value": float(value), "low": float(low), "high": float(high)}
