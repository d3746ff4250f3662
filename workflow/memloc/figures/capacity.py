"""Bits of random tokens that models of several sizes hold (2505.24832)."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator

from memloc.figures.parts.style import MARKERS, Drawing, panel_labels, plain_log_ticks, subplots
from memloc.settings.base import Section

PUBLISHED = {3.6: ("abstract", "--"), 3.83: ("single precision", ":")}  # bits per weight of 2505.24832


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """(a) Bits held against bits of text, a line per size. (b) The most of any text, per weight."""
    data = tables["capacity"].sort_values(["weights", "text_bits"], ignore_index=True)
    figure, axes = subplots(2.7, ncols=2)
    _by_text(axes[0], data)
    most, first = data.groupby("weights")["bits_per_weight"].max(), data.iloc[0]
    _per_weight(axes[1], most)
    panel_labels(axes)
    numbers = {"n": len(most), "low": most.min(), "high": most.max()}
    return Drawing(figure, data, numbers | {name: int(first[name]) for name in ("length", "passes")})


def _by_text(axes: Axes, data: pd.DataFrame) -> None:
    for (weights, own), marker in zip(data.groupby("weights"), MARKERS, strict=False):
        axes.plot(own["text_bits"], own["bits"], marker=marker, ms=3, label=f"{weights:,} weights")
    span = data["text_bits"].min(), data["text_bits"].max()
    axes.plot(span, span, color="0.8", lw=0.8, zorder=0, label="all of the text")
    axes.set(xscale="log", yscale="log", xlabel="bits of text", ylabel="bits in the model")
    for axis in (axes.xaxis, axes.yaxis):
        plain_log_ticks(axis)
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.legend()


def _per_weight(axes: Axes, most: pd.Series) -> None:
    for (weights, bits), marker in zip(most.items(), MARKERS, strict=False):
        axes.plot(weights, bits, marker=marker, ms=4)
    for value, (label, style) in PUBLISHED.items():
        axes.axhline(value, color="0.4", lw=0.8, ls=style, label=f"published: {value} ({label})")
    axes.set(xscale="log", xlabel="thousand weights", ylabel="bits per weight")
    axes.set_ylim(min(0, most.min()), 5.2)
    axes.set_xticks(most.index, [f"{size / 1000:.3g}" for size in most.index])
    axes.set_xticks([], minor=True)
    axes.legend(loc="upper right")
