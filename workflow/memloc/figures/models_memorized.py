"""Fraction of paragraphs that each model memorized, against its number of parameters (not in the paper)."""

from itertools import pairwise
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

from memloc.data.sets import without_controls
from memloc.figures.parts.across import looks
from memloc.figures.parts.memorized_fraction import intervals, unseen_by_model
from memloc.figures.parts.style import Drawing, subplots
from memloc.settings.base import Section
from memloc.statistics.uncertainty import CONFIDENCE, proportion

WIDE = 30  # largest over smallest model, from which ticks at powers of ten are enough


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Fraction with a 95 % Wilson interval per model, on a logarithmic axis of parameters; side by side where
    all models have one size."""
    sets = without_controls(tables["sets"])
    data = sets.assign(memorized=sets["set"] == "memorized")
    counts = data.groupby("model")["memorized"].agg(n_paragraphs="size", n_memorized="sum")
    rows = tables["models"][["model", "n_parameters"]].join(counts, on="model")
    rows = rows.join(intervals(rows.n_memorized, rows.n_paragraphs))
    numbers = {
        "confidence": CONFIDENCE,
        "unseen": unseen_by_model(tables, settings),
        "models": rows.to_dict("records"),
        "one_size": _one_size(rows),
        "trained_anew": bool(rows["n_parameters"].duplicated().any()),
        "comparisons": _comparisons(data.merge(tables["paragraphs"], on=["model", "id"]), rows["model"]),
    }
    return Drawing(_plot(rows, looks(tables["models"])), rows, numbers)


def _comparisons(data: pd.DataFrame, models: pd.Series) -> list[dict[str, Any]]:
    """Neighbours in size, on the paragraphs that both scored.

    The models saw the same paragraphs, so only paragraphs that exactly one of them recites tell them apart
    (McNemar). The larger model recites half of these where neither recites more.
    """
    found = []
    for smaller, larger in pairwise(models):
        two = [data.loc[data["model"] == model, ["id", "text", "memorized"]] for model in (smaller, larger)]
        both = two[0].merge(two[1], on=["id", "text"], suffixes=("_smaller", "_larger"))
        more = int((both.memorized_larger & ~both.memorized_smaller).sum())
        less = int((both.memorized_smaller & ~both.memorized_larger).sum())
        found.append(
            {
                "smaller": smaller,
                "larger": larger,
                "n_shared": len(both),
                "only_larger": more,
                "only_smaller": less,
                "share_larger": proportion(more, more + less),
            }
        )
    return found


def _plot(rows: pd.DataFrame, styles: dict[str, dict[str, Any]]) -> Figure:
    figure, axes = subplots()
    places = pd.Series(range(len(rows)), rows.index) if _one_size(rows) else rows["n_parameters"]
    for place, row in zip(places, rows.itertuples(), strict=True):
        style = styles[row.model] | {"ls": "", "ms": 5, "clip_on": False}
        error = [[max(row.fraction - row.low, 0)], [max(row.high - row.fraction, 0)]]
        axes.errorbar(place, row.fraction, yerr=error, capsize=2, **style)
    axes.set(ylabel="fraction memorized", ylim=(0, None))
    axes.margins(x=0.1)
    if _one_size(rows):
        axes.set_xticks(places, rows["model"])
        axes.set_xlabel(f"models of {rows['n_parameters'].iloc[0]:,} parameters")
        return figure
    axes.plot(places, rows.fraction, color="0.6", lw=0.8, zorder=1)
    _size_axis(axes, wide=places.max() > WIDE * places.min())
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=min(len(rows), 3))
    return figure


def _size_axis(axes: Axes, wide: bool) -> None:
    axes.set(xscale="log", xlabel="parameters")
    axes.xaxis.set_major_locator(LogLocator(subs=(1,) if wide else (1, 2, 5)))
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _one_size(rows: pd.DataFrame) -> bool:
    return rows["n_parameters"].nunique() == 1
