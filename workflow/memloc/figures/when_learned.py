"""Memorization against when a paragraph was last seen in training."""

import pandas as pd
from matplotlib.axes import Axes

from memloc.data.recency import last_seen
from memloc.data.sets import exposure
from memloc.figures.parts.style import PAGE_WIDTH, Drawing, Numbers, subplots
from memloc.settings.base import Section
from memloc.statistics.uncertainty import MIN_N, proportion, proportions

N_GROUPS, N_BINS = 3, 5  # groups of paragraphs by their repeats; bins of each group by when they are seen
SHADES = ("#f2a6b0", "#c8102e", "#7a0a1c")  # light to dark: more repeats
LINEAR = 1e-3  # share of the training: axes are linear below, logarithmic above


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Memorized share with 95 % bands, for thirds of the repeated paragraphs by their repeats."""
    last = last_seen(tables["occurrences"], tables["training_stream"], settings.model)
    data = tables["paragraphs"].merge(tables["sets"][["id", "set"]], on="id").join(last, on="id")
    data = data.assign(repeats=exposure(data), memorized=data["set"] == "memorized", since=1 - data["last"])
    data = data[(data["repeats"] > 1) & data["last"].notna()].reset_index(drop=True)
    thirds = pd.qcut(data["repeats"].rank(method="first"), N_GROUPS, labels=False)
    data["group"] = thirds.groupby(data["repeats"]).transform("min")
    figure, axes = subplots(2.5, PAGE_WIDTH * 0.6)
    shown = _lines(axes, data)
    axes.set(xlabel="training after the last occurrence\n(share of the training)", ylim=(-0.02, 1.02))
    axes.set_xscale("symlog", linthresh=LINEAR, linscale=0.5)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlim(1.3 * shown["at"].max(), 0)  # later is further right
    axes.set_ylabel("share memorized")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=N_GROUPS)
    return Drawing(figure, shown, _numbers(data))


def _lines(axes: Axes, data: pd.DataFrame) -> pd.DataFrame:
    frames = []
    for (_, own), colour in zip(data.groupby("group"), SHADES, strict=False):  # equal counts are one group
        n_bins = max(1, min(N_BINS, len(own) // MIN_N))
        binned = own.groupby(pd.qcut(own["since"].rank(method="first"), n_bins, labels=False))
        rows = proportions(binned["memorized"]).assign(at=binned["since"].mean())
        few, many = own["repeats"].min(), own["repeats"].max()
        axes.plot(rows["at"], rows["value"], "o-", ms=3, color=colour, label=f"{few} to {many} occurrences")
        axes.fill_between(rows["at"], rows["low"], rows["high"], color=colour, alpha=0.15, lw=0)
        frames.append(rows.assign(fewest=few, most=many))
    return pd.concat(frames, ignore_index=True)


def _numbers(data: pd.DataFrame) -> Numbers:
    later = data["last"] - data.groupby("repeats")["last"].transform("median")
    sides = {"late": later > 0, "early": later < 0, "between": later == 0}
    shares = {
        name: proportion(int(data["memorized"][side].sum()), side.sum()) for name, side in sides.items()
    }
    return {"n": len(data), **shares}
