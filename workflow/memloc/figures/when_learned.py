"""Memorization against when a paragraph was last seen in training, and how its occurrences are spaced."""

import pandas as pd
from matplotlib.axes import Axes

from memloc.data.recency import recency
from memloc.data.sets import exposure
from memloc.figures.parts.style import PAGE_WIDTH, Drawing, Numbers, panel_labels, subplots
from memloc.settings.base import Section
from memloc.statistics.uncertainty import MIN_N, proportion, proportions

N_GROUPS, N_BINS = 3, 5  # groups of paragraphs by their repeats; bins of each group by when they are seen
SHADES = ("#f2a6b0", "#c8102e", "#7a0a1c")  # light to dark: more repeats
PANELS = {"since": "training after the last occurrence", "spacing": "mean distance between occurrences"}
WHEN = ["last", "spacing"]
LINEAR = 1e-3  # share of the training: axes are linear below, logarithmic above


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Memorized share with 95 % bands, for thirds of the repeated paragraphs by their repeats."""
    when = recency(tables["occurrences"], tables["training_stream"], settings.model)
    data = tables["paragraphs"].merge(tables["sets"][["id", "set"]], on="id").join(when, on="id")
    data = data.assign(repeats=exposure(data), memorized=data["set"] == "memorized", since=1 - data["last"])
    data = data[(data["repeats"] > 1) & data["spacing"].notna()].reset_index(drop=True)
    thirds = pd.qcut(data["repeats"].rank(method="first"), N_GROUPS, labels=False)
    data["group"] = thirds.groupby(data["repeats"]).transform("min")
    figure, axes = subplots(2.5, PAGE_WIDTH * 0.8, ncols=2, sharey=True)
    shown = []
    for panel, (measure, label), letter in zip(axes, PANELS.items(), "ab", strict=True):
        shown.append(_panel(panel, data, measure).assign(panel=letter, measure=measure))
        panel.set(xlabel=f"{label}\n(share of the training)", ylim=(-0.02, 1.02))
        panel.set_xscale("symlog", linthresh=LINEAR, linscale=0.5)
        panel.xaxis.set_major_formatter("{x:g}")
        panel.set_xlim(0, 1.3 * shown[-1]["at"].max())
    panel_labels(axes)
    axes[0].invert_xaxis()  # later is further right
    axes[0].set_ylabel("share memorized")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=N_GROUPS)
    return Drawing(figure, pd.concat(shown, ignore_index=True), _numbers(data))


def _panel(axes: Axes, data: pd.DataFrame, measure: str) -> pd.DataFrame:
    frames = []
    for (_, own), colour in zip(data.groupby("group"), SHADES, strict=False):  # equal counts are one group
        n_bins = max(1, min(N_BINS, len(own) // MIN_N))
        bins = pd.qcut(own[measure].rank(method="first"), n_bins, labels=False)
        binned = own.groupby(bins)
        rows = proportions(binned["memorized"]).assign(at=binned[measure].mean())
        few, many = own["repeats"].min(), own["repeats"].max()
        axes.plot(rows["at"], rows["value"], "o-", ms=3, color=colour, label=f"{few} to {many} occurrences")
        axes.fill_between(rows["at"], rows["low"], rows["high"], color=colour, alpha=0.15, lw=0)
        frames.append(rows.assign(fewest=few, most=many))
    return pd.concat(frames, ignore_index=True)


def _numbers(data: pd.DataFrame) -> Numbers:
    above = data[WHEN] - data.groupby("repeats")[WHEN].transform("median")
    late, apart = above["last"], above["spacing"]  # the median itself is on neither side
    sides = {"late": late > 0, "early": late < 0, "apart": apart > 0, "close": apart < 0}
    shares = {
        name: proportion(int(data["memorized"][side].sum()), int(side.sum())) for name, side in sides.items()
    }
    return {"n": len(data), **shares}
