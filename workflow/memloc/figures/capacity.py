"""Bits of random tokens that models of several sizes hold (2505.24832)."""

import pandas as pd
from matplotlib.axes import Axes

from memloc.figures.parts.style import MARKERS, Drawing, Numbers, panel_labels, plain_log_ticks, subplots
from memloc.settings.base import Section

PUBLISHED = {3.6: ("abstract", "--"), 3.83: ("single precision", ":")}  # bits per weight of 2505.24832


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """(a) Bits held against bits of text, a line per size. (b) The most, per weight, by rounds."""
    data = tables["capacity"].sort_values(["weights", "text_bits", "passes"], ignore_index=True)
    ends = data.groupby(["weights", "text_bits"]).tail(1)
    fullest = ends.loc[ends.groupby("weights")["bits"].idxmax()]
    figure, axes = subplots(2.7, ncols=2)
    _by_text(axes[0], ends)
    _per_weight(axes[1], data.merge(fullest[["weights", "text_bits"]]))
    panel_labels(axes)
    return Drawing(figure, data, _numbers(fullest))


def _by_text(axes: Axes, ends: pd.DataFrame) -> None:
    for (weights, own), marker in zip(ends.groupby("weights"), MARKERS, strict=False):
        axes.plot(own["text_bits"], own["bits"], marker=marker, ms=3, label=f"{weights:,} weights")
    span = ends["text_bits"].min(), ends["text_bits"].max()
    axes.plot(span, span, color="0.8", lw=0.8, zorder=0, label="all of the text")
    axes.set(xscale="log", yscale="log", xlabel="bits of text", ylabel="bits in the model")
    plain_log_ticks(axes.xaxis)
    plain_log_ticks(axes.yaxis)
    axes.legend()


def _per_weight(axes: Axes, rounds: pd.DataFrame) -> None:
    for (weights, own), marker in zip(rounds.groupby("weights"), MARKERS, strict=False):
        (line,) = axes.plot([weights] * len(own), own["bits_per_weight"], marker="_", ms=5, lw=0.6)
        full = line.get_color() if own["converged"].iloc[-1] else "white"
        axes.plot(weights, own["bits_per_weight"].iloc[-1], marker, ms=4, color=line.get_color(), mfc=full)
    for value, (label, style) in PUBLISHED.items():
        axes.axhline(value, color="0.4", lw=0.8, ls=style, label=f"published: {value} ({label})")
    axes.set(xscale="log", xlabel="thousand weights", ylabel="bits per weight")
    axes.set_ylim(min(0, rounds["bits_per_weight"].min()), 5.2)
    sizes = rounds["weights"].unique()
    axes.set_xticks(sizes, [f"{size / 1000:.3g}" for size in sizes])
    axes.set_xticks([], minor=True)
    axes.legend(loc="upper right")


def _numbers(fullest: pd.DataFrame) -> Numbers:
    return {
        "n": len(fullest),
        "low": fullest["bits_per_weight"].min(),
        "high": fullest["bits_per_weight"].max(),
        "length": int(fullest["length"].iloc[0]),
        "passes": int(fullest["passes"].max()),
        "n_going_on": int((~fullest["converged"]).sum()),
    }
