"""Figure 3: perturbing single prefix tokens, in one memorized paragraph and on average (paper 4)."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from memloc.figures.parts.perturbation_example import draw_example, example_ids
from memloc.figures.parts.style import COLOURS, LABELS, PAGE_WIDTH, Drawing, panel_label, subplots
from memloc.figures.parts.token_map import ABOVE_MARKS, label_height, prefix_texts
from memloc.perturbation.effects import LARGE_DROP, before_last, drop_matrix, em_drops, late_minus_early
from memloc.perturbation.strongest import strongest
from memloc.settings.base import Section
from memloc.statistics import uncertainty

SETS = ("memorized", "non_memorized")


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """(a) NLL and EM of an example per perturbed token; (b) mean EM drop per position with 95 % bands."""
    n_prefix = settings.paragraph.prefix
    example = example_ids(tables)[0]
    panels = [1.0, 1.0, 1.7]  # inches
    height = sum(panels) + label_height(prefix_texts(tables, example, n_prefix)) + 0.8
    figure, (nll_axes, em_axes, mean_axes) = subplots(PAGE_WIDTH, height, nrows=3, height_ratios=panels)
    example_data, example_numbers = draw_example(nll_axes, em_axes, tables, example, n_prefix)

    drops = em_drops(tables["perturbation"])
    kind = drops["kind"].iloc[0]
    matrices = {name: drop_matrix(drops[drops["set"] == name]) for name in SETS}
    mean_data = pd.concat(
        [_draw_mean(mean_axes, name, matrix, kind) for name, matrix in matrices.items()], ignore_index=True
    )
    mean_axes.set(xlabel=f"{kind} prefix token (position)", ylabel="mean drop of exact match\n(tokens)")
    mean_axes.set(xlim=(-0.7, n_prefix - 0.3), ylim=(0, None))
    mean_axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    panel_label(nll_axes, "a", ABOVE_MARKS)
    panel_label(mean_axes, "b")

    numbers = {"kind": kind, "example": example_numbers, **_numbers(drops, matrices, settings.paragraph)}
    data = pd.concat([example_data.assign(panel="a"), mean_data.assign(panel="b")], ignore_index=True)
    data["kind"] = kind
    return Drawing(figure, data[["panel", *data.columns.drop("panel")]], numbers)


def _draw_mean(axes: Axes, name: str, drops: pd.DataFrame, kind: str) -> pd.DataFrame:
    found = uncertainty.table([uncertainty.mean(drops[position]) for position in drops], drops.columns)
    text = f"{LABELS[name]}: {drops.to_numpy().mean():.1f} tokens per {kind} token ({len(drops)} paragraphs)"
    axes.fill_between(found.index, found["low"], found["high"], color=COLOURS[name], alpha=0.2, lw=0)
    axes.plot(found["value"], color=COLOURS[name], label=text)
    data = found.rename(columns={"value": "em_drop"}).drop(columns="n").reset_index()
    return data.assign(set=name)[["set", *data]]


def _numbers(
    drops: pd.DataFrame, matrices: dict[str, pd.DataFrame], lengths: dict[str, int]
) -> dict[str, Any]:
    """Mean drops, their difference and trend over positions, with intervals; the largest single drops."""
    numbers: dict[str, Any] = {"n_draws": int(drops["draw"].max()) + 1}
    by_paragraph = {name: matrix.mean(axis=1) for name, matrix in matrices.items()}
    for name, matrix in matrices.items():
        means = matrix.mean()
        numbers[name] = {
            "drop": uncertainty.mean(by_paragraph[name]),
            "late": uncertainty.paired(late_minus_early(matrix)),
            "spearman": float(means.rank().corr(matrix.columns.to_series().rank())),
            "last": float(means.iloc[-1]),
        }
    numbers["difference"] = uncertainty.difference(by_paragraph["non_memorized"], by_paragraph["memorized"])
    memorized = drops[drops["set"] == "memorized"]
    large = LARGE_DROP * lengths.continuation
    numbers["large"] = large
    numbers["largest"] = _largest(memorized, large)
    numbers["largest_before_last"] = _largest(before_last(memorized, lengths.prefix), large)
    return numbers


def _largest(drops: pd.DataFrame, large: float) -> dict[str, int]:
    """The largest drop, and how many of the n paragraphs have one of `large` or more tokens."""
    largest = strongest(drops)["em_drop"]
    return {"max": int(largest.max()), "n_large": int((largest >= large).sum()), "n": len(largest)}
