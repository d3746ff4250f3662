"""Rank of the planted head by every method, against the NLL of the plant (extended)."""

import numpy as np
import pandas as pd
from matplotlib import colormaps

from memloc.figures.parts.planted import KIND_LABELS, kinds_of, label, methods_of
from memloc.figures.parts.style import PAGE_WIDTH, Drawing, subplots
from memloc.settings.base import Section
from memloc.statistics.uncertainty import mean, table


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """A panel per kind of heads: mean rank over plants at each level of the NLL."""
    truth = tables["planted_truth"]
    rows = truth[(truth["control"] == "plant") & (truth["granularity"] == "head")]
    rows = rows[~rows["method"].isin(["random", "change"])]
    kinds, methods = kinds_of(rows), methods_of(rows)
    groups = rows.groupby(["kind", "method", "level"])["rank"]
    means = table([mean(ranks) for _, ranks in groups], groups.size().index)
    data = groups.agg(["min", "max"]).join(means).reset_index()
    n_units = int(rows["n_units"].max()) if len(rows) else 1
    ranks = 2 ** np.arange(int(np.log2(n_units)) + 1)  # the axis is logarithmic
    figure, axes = subplots(PAGE_WIDTH * 0.8, 2.8, ncols=max(1, len(kinds)), sharey=True, squeeze=False)
    for panel, kind in zip(axes[0], kinds, strict=False):
        for number, method in enumerate(methods):
            own = data[(data["kind"] == kind) & (data["method"] == method)].sort_values("level")
            style = {"color": colormaps["tab20"](number % 20), "marker": "o", "ms": 2.5, "lw": 0.9}
            panel.plot(own["level"], own["value"], label=label(method), **style)
        levels = np.sort(data["level"].unique())
        panel.set(xscale="log", yscale="log", title=KIND_LABELS[kind], xlabel="NLL below (nats per token)")
        panel.set_xticks(levels, [f"{level:g}" for level in levels])
        panel.minorticks_off()
        panel.set_yticks(ranks, [str(rank) for rank in ranks])
        panel.invert_xaxis()
    axes[0][0].set_ylabel("mean rank of the planted head")
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside right center")
    n_plants = int(data["n"].max()) if len(data) else 0
    return Drawing(figure, data, {"n_plants": n_plants, "n_units": n_units if len(rows) else 0})
