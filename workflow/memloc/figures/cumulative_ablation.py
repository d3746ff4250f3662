"""Which localization method finds heads that matter: the first heads of each ranking ablated together
(extended)."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from memloc.figures.disturbance import three_panels
from memloc.figures.style import METHOD_LABELS, Drawing

METHOD_COLOURS = {
    "parameter_gradient": "#0072b2",
    "activation_gradient": "#009e73",
    "rare_tokens": "#d55e00",
    "patching": "#cc79a7",
    "combined": "#000000",
}


def draw(tables: dict[str, pd.DataFrame], settings: dict) -> Drawing:
    """A line per ranking against the number of heads; grey: mean and range of random orders."""
    data = tables["cumulative_ablation"]
    figure = three_panels(data, _lines, "heads ablated together", height=2.5, legend_columns=4)
    return Drawing(figure, data, _numbers(data))


def _lines(axes: Axes, data: pd.DataFrame, column: str) -> None:
    random = data[data["method"] == "random"].groupby("n_heads")[column]
    axes.fill_between(random.min().index, random.min(), random.max(), color="0.85", lw=0)
    axes.plot(random.mean().index, random.mean(), color="0.5", ls="--", label="random heads")
    for method, colour in METHOD_COLOURS.items():
        rows = data[data["method"] == method].sort_values("n_heads")
        if len(rows):
            style = {"color": colour, "marker": "o", "ms": 2.2, "lw": 0.9}
            axes.plot(rows["n_heads"], rows[column], label=METHOD_LABELS[method], **style)
    axes.set_xscale("symlog", base=2, linthresh=1)
    ticks = sorted(data["n_heads"].unique())
    axes.set_xticks(ticks, [str(number) for number in ticks])
    axes.minorticks_off()
    if column.startswith("em_"):
        axes.set_ylim(bottom=0)


def _numbers(data: pd.DataFrame) -> dict[str, Any]:
    """At each number of heads: every method's EM of memorized paragraphs, and the range of random orders."""
    steps = []
    for k, rows in data[data["n_heads"] > 0].groupby("n_heads"):
        random = rows.loc[rows["method"] == "random", "em_memorized"]
        ranked = rows[rows["method"] != "random"].sort_values("em_memorized")
        below = ranked[ranked["em_memorized"] < random.min()]
        first = ranked.iloc[0]
        steps.append(
            {
                "k": int(k),
                "first": METHOD_LABELS[first["method"]],
                "em": float(first["em_memorized"]),
                "em_non_memorized": float(first["em_non_memorized"]),
                "low": float(random.min()),
                "high": float(random.max()),
                "below": [METHOD_LABELS[name] for name in below["method"]],
            }
        )
    n_random = int(data.loc[data["method"] == "random", "draw"].nunique())
    return {"steps": steps, "n_random": n_random, "n_methods": int(data["method"].nunique()) - 1}
