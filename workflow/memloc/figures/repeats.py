"""Fraction of paragraphs that are memorized, against how often they occur in training (not in the paper)."""

import pandas as pd

from memloc.data.exposure import exposure
from memloc.data.sets import without_controls
from memloc.figures.parts.memorized_fraction import UNSEEN_AT, first_half, fraction_by_repeats, unseen_recited
from memloc.figures.parts.style import COLOURS, Drawing, plain_log_ticks, subplots
from memloc.settings.base import Section
from memloc.statistics.uncertainty import CONFIDENCE


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Share of memorized paragraphs per bin of repeats with a 95 % Wilson band."""
    data = tables["paragraphs"].merge(without_controls(tables["sets"])[["id", "set"]], on="id")
    binned = fraction_by_repeats(data)
    figure, axes = subplots()
    colour = COLOURS["memorized"]
    axes.fill_between(binned.repeats_mean, binned.low, binned.high, color=colour, alpha=0.2, lw=0)
    axes.plot(binned.repeats_mean, binned.fraction, marker="o", ms=3, color=colour)
    unseen = unseen_recited(tables, settings)
    if share := unseen["unseen"]:
        error = [[share.value - max(share.low, 0)], [min(share.high, 1) - share.value]]
        axes.errorbar(UNSEEN_AT, share.value, error, marker="s", ms=3, color=COLOURS["unseen"], capsize=2)
        above = {"xytext": (0, 4), "textcoords": "offset points", "rotation": 90}
        axes.annotate("unseen", (UNSEEN_AT, min(share.high, 1)), **above, ha="center", va="bottom")
    counted = bool(data["continuation_count"].notna().all())
    axes.set(
        xscale="log",
        xlabel="occurrences of the continuation in training" if counted else "occurrences in the corpus",
        ylabel="fraction memorized",
        ylim=(-0.02, 1.02),
    )
    plain_log_ticks(axes.xaxis)
    memorized = exposure(data[data["set"] == "memorized"])
    numbers = {
        "confidence": CONFIDENCE,
        "counted": counted,
        "n_elsewhere": int((exposure(data) > data["count"]).sum()),
        "first_memorized": int(memorized.min()) if len(memorized) else None,
        "half": first_half(binned),
        "n_paragraphs": len(data),
        **unseen,
    }
    return Drawing(figure, binned, numbers)
