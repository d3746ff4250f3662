"""Fraction of paragraphs that are memorized, against how often they occur in training (not in the paper)."""

import pandas as pd

from memloc.data.exposure import exposure
from memloc.figures.parts.memorized_fraction import first_half, fraction_by_repeats
from memloc.figures.parts.style import COLOURS, Drawing, plain_log_ticks, subplots
from memloc.statistics.uncertainty import CONFIDENCE


def draw(tables: dict[str, pd.DataFrame], settings: dict) -> Drawing:
    """Share of memorized paragraphs per bin of repeats with a 95 % Wilson band."""
    data = tables["paragraphs"].merge(tables["sets"][["id", "set"]], on="id")
    binned = fraction_by_repeats(data)
    figure, axes = subplots()
    colour = COLOURS["memorized"]
    axes.fill_between(binned.repeats_mean, binned.low, binned.high, color=colour, alpha=0.2, lw=0)
    axes.plot(binned.repeats_mean, binned.fraction, marker="o", ms=3, color=colour)
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
    }
    return Drawing(figure, binned, numbers)
