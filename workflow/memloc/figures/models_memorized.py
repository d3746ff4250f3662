"""Fraction of paragraphs that each model memorized, by its size and by their repeats (not in the paper)."""

from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

from memloc.data.sets import trained_on
from memloc.figures.parts import memorized_fraction as fraction
from memloc.figures.parts import style
from memloc.figures.parts.style import Drawing, panel_labels, plain_log_ticks, subplots
from memloc.settings.base import Section
from memloc.statistics.uncertainty import proportion

DASHES = ("-", "--", "-.", ":")
LIGHTEST = 0.8  # last place in the colour map; lighter lines are faint on white
Looks = dict[str, dict[str, Any]]  # of lines, by model
WIDE = 30  # ratio of largest to smallest model from which ticks at powers of ten are enough


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """(a) Fraction with a 95 % interval by parameters; side by side where all models have one size.
    (b) The same in bins of repeats, half a doubling wide, with bands."""
    sets = trained_on(tables["sets"]).assign(memorized=lambda rows: rows["set"] == "memorized")
    texts = sets.merge(tables["paragraphs"], on=["model", "id"])
    counts = texts.groupby("model")["memorized"].agg(n_paragraphs="size", n_memorized="sum")
    rows = tables["models"][["model", "n_parameters"]].join(counts, on="model")
    rows = rows.join(fraction.intervals(rows.n_memorized, rows.n_paragraphs))
    styles = looks(tables["models"]["model"])
    binned = {model: fraction.repeat_bins(texts[texts["model"] == model], "memorized") for model in styles}
    figure, (left, right) = subplots(2.6, ncols=2)
    one_size = rows["n_parameters"].nunique() == 1
    _by_size(left, rows, styles, one_size)
    where = fraction.counted_in(tables)
    _by_repeats(right, binned, styles)
    right.set_xlabel(fraction.OCCURRENCES[where])
    panel_labels((left, right))
    figure.legend(*right.get_legend_handles_labels(), loc="outside upper center", ncols=min(len(styles), 4))
    ordered = rows.sort_values("fraction", kind="stable").to_dict("records")
    least, most = (
        {"model": row["model"], "share": proportion(row["n_memorized"], row["n_paragraphs"])}
        for row in (ordered[0], ordered[-1])
    )
    numbers = {
        "unseen": fraction.unseen_by_model(tables, settings),
        "where": where,
        "n_models": len(rows),
        "least": least,
        "most": most,
        "one_size": one_size,
        "trained_anew": bool(rows["n_parameters"].duplicated().any()),
        "together": _together(texts),
    }
    plotted = style.of_panels(a=rows, b=pd.concat(binned, names=["model"]).reset_index("model"))
    return Drawing(figure, plotted, numbers)


def looks(models: pd.Series) -> Looks:
    """Colour (darker is smaller), marker and dashes of every model, so that no reader needs the colours."""
    shades = colormaps[style.SEQUENTIAL](np.linspace(0, LIGHTEST, len(models)))
    marks = zip(models, shades, cycle(style.MARKERS), cycle(DASHES), strict=False)
    return {
        model: {"color": shade, "marker": marker, "ls": dashes, "ms": 3, "label": model}
        for model, shade, marker, dashes in marks
    }


def _together(data: pd.DataFrame) -> dict[str, int]:
    """Of the n paragraphs that all models scored, how many all of them recite, and how many any does."""
    recited = data.pivot(index=["id", "text"], columns="model", values="memorized").dropna().astype(bool)
    return {"n": len(recited), "all": int(recited.all(axis=1).sum()), "any": int(recited.any(axis=1).sum())}


def _by_size(axes: Axes, rows: pd.DataFrame, styles: Looks, one_size: bool) -> None:
    places = pd.Series(range(len(rows)), rows.index) if one_size else rows["n_parameters"]
    for place, row in zip(places, rows.itertuples(), strict=True):
        look = styles[row.model] | {"ls": "", "ms": 5, "clip_on": False}
        error = [[max(row.fraction - row.low, 0)], [max(row.high - row.fraction, 0)]]
        axes.errorbar(place, row.fraction, yerr=error, capsize=2, **look)
    axes.set(ylabel="share memorized", ylim=(0, None))
    axes.margins(x=0.1)
    if one_size:
        axes.set_xticks(places, rows["model"])
        axes.set_xlabel(f"models of {rows['n_parameters'].iloc[0]:,} parameters")
    else:
        axes.plot(places, rows.fraction, color="0.6", lw=0.8, zorder=1)
        axes.set(xscale="log", xlabel="parameters")
        wide = places.max() > WIDE * places.min()
        axes.xaxis.set_major_locator(LogLocator(subs=(1,) if wide else (1, 2, 5)))
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
        axes.xaxis.set_minor_formatter(NullFormatter())


def _by_repeats(axes: Axes, binned: dict[str, pd.DataFrame], styles: Looks) -> None:
    for model, look in styles.items():
        bins = binned[model]
        axes.fill_between(bins.repeats_mean, bins.low, bins.high, color=look["color"], alpha=0.15, lw=0)
        axes.plot(bins.repeats_mean, bins.fraction, **look)
    axes.set(xscale="log", ylabel="share memorized", ylim=(-0.02, 1.02))
    plain_log_ticks(axes.xaxis)
