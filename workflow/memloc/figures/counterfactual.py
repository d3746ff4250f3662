"""Effect of training on a paragraph, against its repeats: counterfactual memorization (2112.12938)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from memloc.figures.parts.memorized_fraction import BINS_PER_DOUBLING
from memloc.figures.parts.style import COLOURS, Drawing, Numbers, panel_labels, plain_log_ticks, subplots
from memloc.scoring.counterfactual import bits, comes_out_anyway, only_moved
from memloc.settings.base import Section
from memloc.statistics.uncertainty import means

# Kinds of paragraphs (by recitation with and without training on them), and how each kind is drawn.
ANYWAY, RECITED, MOVED, OTHERS = "comes out anyway", "recited", "never comes out, yet moved", "others"
LOOKS = {
    OTHERS: {"color": "0.75", "marker": "."},
    MOVED: {"color": COLOURS["non_memorized"], "marker": "."},
    RECITED: {"color": COLOURS["memorized"], "marker": "."},
    ANYWAY: {"color": "black", "marker": "D", "facecolors": "none"},
}
PANELS = {"em": "more tokens of exact match", "nll": "NLL lowered (nats per token)"}
SPREAD = 0.06  # of the logarithm of repeats, by which marks are moved apart


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Difference of models with and without each paragraph, and its mean by repeats with 95 % intervals."""
    data = tables["counterfactual"]
    data = data[(data["n_with"] > 0) & (data["n_without"] > 0)].reset_index(drop=True)
    recited = data["em"] == settings.paragraph.continuation
    chosen = {ANYWAY: recited & comes_out_anyway(data), RECITED: recited, MOVED: only_moved(data)}
    data = data.assign(kind=np.select(list(chosen.values()), list(chosen), OTHERS))
    figure, axes = subplots(2.7, ncols=len(PANELS))
    for panel, (measure, label) in zip(axes, PANELS.items(), strict=True):
        sign = -1 if measure == "nll" else 1
        _panel(panel, data, sign * data[f"{measure}_difference"])
        panel.set(xscale="log", xlabel="occurrences of the continuation in training", ylabel=label)
        plain_log_ticks(panel.xaxis)
    panel_labels(axes)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=5)
    held = bits(tables["half_scores"], settings.paragraph.continuation)
    return Drawing(figure, data, _numbers(data) | {"bits": held})


def _panel(axes: Axes, data: pd.DataFrame, values: pd.Series) -> None:
    random = np.random.default_rng(0)
    places = data["repeats"] * np.exp(random.uniform(-SPREAD, SPREAD, len(data)))
    axes.axhline(0, color="0.75", lw=0.5, zorder=0)
    for kind, look in LOOKS.items():
        rows = data["kind"] == kind
        if rows.any():
            axes.scatter(places[rows], values[rows], s=9, linewidths=0.5, label=kind, alpha=0.7, **look)
    bins = np.floor(np.log2(data["repeats"]) * BINS_PER_DOUBLING)
    at, found = data["repeats"].groupby(bins).mean(), means(values.groupby(bins))
    axes.plot(at, found["value"], color="black", lw=1, label="mean")
    axes.vlines(at, found["low"], found["high"], color="black", lw=0.9)


def _numbers(data: pd.DataFrame) -> Numbers:
    moved = data["kind"] == MOVED
    return {
        "n": len(data),
        "n_models": int((data["n_with"] + data["n_without"]).max()),
        "n_recited": int(data["kind"].isin([RECITED, ANYWAY]).sum()),
        "n_anyway": int((data["kind"] == ANYWAY).sum()),
        "n_moved": int(moved.sum()),
        "n_moved_once": int((moved & (data["repeats"] <= 1)).sum()),
    }
