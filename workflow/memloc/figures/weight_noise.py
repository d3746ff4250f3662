"""Noise on top-gradient and random weights (extended; after the authors' notebook)."""

import pandas as pd
from matplotlib.axes import Axes

from memloc.figures.parts.disturbance import PANELS, group_means, judges, three_panels
from memloc.figures.parts.edit_summary import ARM_COLOURS, ARM_LABELS
from memloc.figures.parts.style import Drawing
from memloc.settings.base import Section

ARMS = ("top", "random")


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Scores against the size of the noise, with the range over draws."""
    table = tables["weight_noise"]
    data = group_means(table, ["arm", "size", "draw", "n_weights"])
    figure = three_panels(data, _lines, "noise (standard deviations)", height=2.3, legend_columns=2)
    size = data["size"].max()
    means = data[data["size"] == size].groupby("arm")[[*PANELS]].mean()
    numbers = {
        "n_weights": int(data["n_weights"].iloc[0]),
        "n_draws": int(data["draw"].nunique()),
        "size": float(size),
        **{arm: means.loc[arm].to_dict() for arm in ARMS},
    }
    return Drawing(figure, data, numbers | judges(table))


def _lines(axes: Axes, data: pd.DataFrame, column: str) -> None:
    """Lines over sizes at even distances, since 0 would have no place on a logarithmic axis."""
    sizes = sorted(data["size"].unique())
    for arm in ARMS:
        noise = data[data["arm"] == arm].groupby("size")[column]
        places = [sizes.index(size) for size in noise.mean().index]
        style = {"color": ARM_COLOURS[arm], "marker": "o", "ms": 2.5}
        axes.fill_between(places, noise.min(), noise.max(), color=ARM_COLOURS[arm], alpha=0.2, lw=0)
        axes.plot(places, noise.mean(), label=ARM_LABELS[arm], **style)
    axes.set_xticks(range(len(sizes)), [f"{size:g}" for size in sizes])
