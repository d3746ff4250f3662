"""Fraction of paragraphs that are memorized, against how often they occur in training (not in the paper)."""

import pandas as pd

from memloc.data.sets import exposure, without_controls
from memloc.figures.parts.memorized_fraction import (
    OCCURRENCES,
    UNSEEN_AT,
    counted_in,
    first_half,
    fraction_by_repeats,
    said_of_unseen,
    unseen_recited,
)
from memloc.figures.parts.style import COLOURS, Drawing, plain_log_ticks, subplots
from memloc.settings.base import Section


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Share of memorized paragraphs per bin of repeats with a 95 % Wilson band."""
    data = tables["paragraphs"].merge(without_controls(tables["sets"])[["id", "set"]], on="id")
    binned = fraction_by_repeats(data)
    figure, axes = subplots()
    colour = COLOURS["memorized"]
    axes.fill_between(binned.repeats_mean, binned.low, binned.high, color=colour, alpha=0.2, lw=0)
    axes.plot(binned.repeats_mean, binned.fraction, marker="o", ms=3, color=colour)
    if share := unseen_recited(tables, settings):
        error = [[share.value - max(share.low, 0)], [min(share.high, 1) - share.value]]
        axes.errorbar(UNSEEN_AT, share.value, error, marker="s", ms=3, color=COLOURS["unseen"], capsize=2)
        above = {"xytext": (0, 4), "textcoords": "offset points", "rotation": 90}
        axes.annotate("unseen", (UNSEEN_AT, min(share.high, 1)), **above, ha="center", va="bottom")
    where = counted_in(tables)
    axes.set(xscale="log", xlabel=OCCURRENCES[where], ylabel="fraction memorized", ylim=(-0.02, 1.02))
    plain_log_ticks(axes.xaxis)
    repeats = exposure(data)
    memorized = repeats[data["set"] == "memorized"]
    numbers = {
        "where": where,
        "n_elsewhere": int((repeats > data["count"]).sum()),
        "first_memorized": int(memorized.min()) if len(memorized) else None,
        "half": first_half(binned),
        "n_paragraphs": len(data),
        "unseen": said_of_unseen(share),
    }
    return Drawing(figure, binned, numbers)
