"""Which localization method finds heads that matter: the first heads of each ranking ablated together
(extended)."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from memloc.figures.parts.disturbance import group_means, judges, three_panels
from memloc.figures.parts.methods import method_label, methods_of
from memloc.figures.parts.style import Drawing
from memloc.settings.base import Section
from memloc.statistics.uncertainty import Interval, bootstrap

METHOD_COLOURS = {
    "parameter_gradient": "#0072b2",
    "activation_gradient": "#009e73",
    "rare_tokens": "#d55e00",
    "patching": "#cc79a7",
    "combined": "#000000",
}


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """A line per ranking against the number of heads; grey: mean and range of random orders."""
    table = tables["cumulative_ablation"]
    data = group_means(table, ["method", "draw", "n_heads"])
    figure = three_panels(data, _lines, "heads ablated together", height=2.5, legend_columns=4)
    n_random = data.loc[data["method"] == "random", "draw"].nunique()
    return Drawing(figure, data, {"steps": _steps(table, data), "n_random": n_random, **judges(table)})


def _lines(axes: Axes, data: pd.DataFrame, column: str) -> None:
    drawn = data["method"] == "random"
    random = data[drawn].groupby("n_heads")[column]
    axes.fill_between(random.min().index, random.min(), random.max(), color="0.85", lw=0)
    axes.plot(random.mean().index, random.mean(), color="0.5", ls="--", label="random heads")
    for method in dict.fromkeys([*METHOD_COLOURS, *methods_of(data[~drawn])]):
        rows = data[data["method"] == method].sort_values("n_heads")
        if len(rows):
            # The combined ranking often begins with the heads of another one: its line lies wide below.
            wide = {"ms": 4, "lw": 2.4, "alpha": 0.35, "zorder": 1.5} if method == "combined" else {}
            style = {"color": METHOD_COLOURS.get(method), "marker": "o", "ms": 2.2, "lw": 0.9} | wide
            axes.plot(rows["n_heads"], rows[column], label=method_label(method), **style)
    axes.set_xscale("symlog", base=2, linthresh=1)
    ticks = sorted(data["n_heads"].unique())
    axes.set_xticks(ticks, [str(number) for number in ticks])
    axes.minorticks_off()
    if column.startswith("em_"):
        axes.set_ylim(bottom=0)


def _steps(table: pd.DataFrame, data: pd.DataFrame) -> list[dict[str, Any]]:
    """At each number of heads, for (a) and (b): every method's EM, its rank among the random orders, and
    the range of these."""
    steps = []
    for k, rows in data[data["n_heads"] > 0].groupby("n_heads"):
        panels = {
            group: _panel(table[(table["n_heads"] == k) & (table["group"] == group)], rows, f"em_{group}")
            for group in ("memorized", "non_memorized")
        }
        steps.append({"k": int(k), **panels})
    return steps


def _panel(texts: pd.DataFrame, means: pd.DataFrame, column: str) -> dict[str, Any]:
    """`texts` are rows of the table, `means` those of the figure, of one number of heads."""
    random = means.loc[means["method"] == "random", column]
    ranked = means[means["method"] != "random"].sort_values(column, kind="stable")
    drawn = texts[texts["method"] == "random"].pivot(index="id", columns="draw", values="em")
    methods = []
    for row in ranked.itertuples():
        own = texts[texts["method"] == row.method].set_index("id")["em"]
        rank = rank_among(own.loc[drawn.index].to_numpy(), drawn.to_numpy())
        em = float(getattr(row, column))
        methods.append({"method": method_label(row.method), "em": em, **rank._asdict()})
    return {"low": float(random.min()), "high": float(random.max()), "methods": methods}


def rank_among(own: np.ndarray, others: np.ndarray) -> Interval:
    """1 + the number of other orders that leave fewer tokens; its interval resamples the paragraphs.

    `own` [paragraph] and `others` [paragraph, order] are exact matches; an order that leaves as many counts
    half.
    """

    def rank(paragraphs: np.ndarray) -> float:
        mine, theirs = own[paragraphs].mean(), others[paragraphs].mean(axis=0)
        return 1 + (theirs < mine).sum() + (theirs == mine).sum() / 2

    return bootstrap(len(own), rank)
