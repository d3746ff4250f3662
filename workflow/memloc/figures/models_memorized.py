"""Fraction of paragraphs that each model memorized, by its size and by their repeats (not in the paper)."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

from memloc.data.sets import without_controls
from memloc.figures.parts import memorized_fraction as fraction
from memloc.figures.parts.style import MARKERS, SEQUENTIAL, Drawing, panel_labels, plain_log_ticks, subplots
from memloc.settings.base import Section
from memloc.statistics.uncertainty import proportion

DASHES = ("-", "--", "-.", ":")
LIGHTEST = 0.8  # last place in the colour map; lighter lines are faint on white
WIDE = 30  # ratio of largest to smallest model from which ticks at powers of ten are enough


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """(a) Fraction with a 95 % Wilson interval per model, on a logarithmic axis of parameters; side by side
    where all models have one size. (b) The same in bins of repeats, half a doubling wide, with bands.
    """
    sets = without_controls(tables["sets"]).assign(memorized=lambda rows: rows["set"] == "memorized")
    texts = sets.merge(tables["paragraphs"], on=["model", "id"])
    counts = texts.groupby("model")["memorized"].agg(n_paragraphs="size", n_memorized="sum")
    rows = tables["models"][["model", "n_parameters"]].join(counts, on="model")
    rows = rows.join(fraction.intervals(rows.n_memorized, rows.n_paragraphs))
    styles = looks(tables["models"])
    binned = {model: fraction.by_repeats(texts[texts["model"] == model]) for model in styles}
    figure, (left, right) = subplots(2.6, ncols=2)
    _by_size(left, rows, styles)
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
        "one_size": _one_size(rows),
        "trained_anew": bool(rows["n_parameters"].duplicated().any()),
        "together": _together(texts),
    }
    both = {"a": rows, "b": pd.concat(binned, names=["model"]).reset_index("model")}
    plotted = pd.concat(both, names=["panel"]).reset_index("panel").reset_index(drop=True)
    return Drawing(figure, plotted, numbers)


def looks(models: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Colour (darker is smaller), marker and dashes of every model, so that no reader needs the colours."""
    places = np.linspace(0, LIGHTEST, len(models))
    return {
        model: {
            "color": colormaps[SEQUENTIAL](place),
            "marker": MARKERS[number % len(MARKERS)],
            "ls": DASHES[number % len(DASHES)],
            "ms": 3,
            "label": model,
        }
        for number, (model, place) in enumerate(zip(models["model"], places, strict=True))
    }


def _together(data: pd.DataFrame) -> dict[str, int]:
    """Of the n paragraphs that all models scored, how many all of them recite, and how many any does."""
    recited = data.pivot(index=["id", "text"], columns="model", values="memorized").dropna().astype(bool)
    return {"n": len(recited), "all": int(recited.all(axis=1).sum()), "any": int(recited.any(axis=1).sum())}


def _by_size(axes: Axes, rows: pd.DataFrame, styles: dict[str, dict[str, Any]]) -> None:
    places = pd.Series(range(len(rows)), rows.index) if _one_size(rows) else rows["n_parameters"]
    for place, row in zip(places, rows.itertuples(), strict=True):
        style = styles[row.model] | {"ls": "", "ms": 5, "clip_on": False}
        error = [[max(row.fraction - row.low, 0)], [max(row.high - row.fraction, 0)]]
        axes.errorbar(place, row.fraction, yerr=error, capsize=2, **style)
    axes.set(ylabel="share memorized", ylim=(0, None))
    axes.margins(x=0.1)
    if _one_size(rows):
        axes.set_xticks(places, rows["model"])
        axes.set_xlabel(f"models of {rows['n_parameters'].iloc[0]:,} parameters")
    else:
        axes.plot(places, rows.fraction, color="0.6", lw=0.8, zorder=1)
        _size_axis(axes, wide=places.max() > WIDE * places.min())


def _by_repeats(axes: Axes, binned: dict[str, pd.DataFrame], styles: dict[str, dict[str, Any]]) -> None:
    for model, style in styles.items():
        bins = binned[model]
        axes.fill_between(bins.repeats_mean, bins.low, bins.high, color=style["color"], alpha=0.15, lw=0)
        axes.plot(bins.repeats_mean, bins.fraction, **style)
    axes.set(xscale="log", ylabel="share memorized")
    axes.set_ylim(-0.02, 1.02)
    plain_log_ticks(axes.xaxis)


def _size_axis(axes: Axes, wide: bool) -> None:
    axes.set(xscale="log", xlabel="parameters")
    axes.xaxis.set_major_locator(LogLocator(subs=(1,) if wide else (1, 2, 5)))
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _one_size(rows: pd.DataFrame) -> bool:
    return rows["n_parameters"].nunique() == 1
