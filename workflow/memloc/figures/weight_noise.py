"""Noise on, and zeroing of, top-gradient and random weights (extended; after the authors' notebook)."""

import pandas as pd
from matplotlib.axes import Axes

from memloc.figures.parts.disturbance import PANELS, group_means, judges, three_panels
from memloc.figures.parts.edit_summary import ARM_COLOURS, ARM_LABELS
from memloc.figures.parts.style import Drawing
from memloc.settings.base import Section

ARMS = ("top", "random")
ZEROED_OFFSETS = {"top": -0.12, "random": 0.12}  # side by side, so that equal values hide no point


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Scores against the size of the noise, with the range over draws; at the right, with zeroed weights."""
    table = tables["weight_noise"]
    data = group_means(table, ["arm", "kind", "size", "draw", "n_weights"])
    figure = three_panels(data, _lines, "noise (standard deviations)", height=2.3, legend_columns=2)
    first = data[data["size"] == 0].iloc[0]
    numbers = {
        "n_weights": int(first["n_weights"]),
        "n_draws": int(data["draw"].nunique()),
        "whole": first[[*PANELS]].astype(float).to_dict(),
    }
    return Drawing(figure, data, numbers | judges(table))


def _lines(axes: Axes, data: pd.DataFrame, column: str) -> None:
    """Lines over sizes at even distances, since 0 would have no place on a logarithmic axis."""
    sizes = sorted(data["size"].dropna().unique())
    for arm in ARMS:
        rows = data[data["arm"] == arm]
        noise = rows[rows["kind"] == "noise"].groupby("size")[column]
        places = [sizes.index(size) for size in noise.mean().index]
        style = {"color": ARM_COLOURS[arm], "marker": "o", "ms": 2.5}
        axes.fill_between(places, noise.min(), noise.max(), color=ARM_COLOURS[arm], alpha=0.2, lw=0)
        axes.plot(places, noise.mean(), label=ARM_LABELS[arm], **style)
        zeroed = rows.loc[rows["kind"] == "zero", column]
        axes.plot([len(sizes) + ZEROED_OFFSETS[arm]], [zeroed.mean()], ls="", **style)
    axes.axvline(len(sizes) - 0.5, color="0.85", lw=0.6)
    axes.set_xticks(range(len(sizes) + 1), [*(f"{size:g}" for size in sizes), "zeroed"])
