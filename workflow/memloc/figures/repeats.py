"""Fraction of paragraphs that are memorized, against how often they occur in training (not in the paper)."""

import numpy as np
import pandas as pd

from memloc.data.exposure import exposure
from memloc.figures.parts.style import COLOURS, Drawing, plain_log_ticks, subplots
from memloc.statistics.uncertainty import CONFIDENCE, proportion

BINS_PER_DOUBLING = 2


def intervals(successes: pd.Series, trials: pd.Series) -> pd.DataFrame:
    """Share of successes of each row: fraction, low and high (Wilson; 0 to 1 where trials are too few)."""
    found = [proportion(*row) for row in zip(successes, trials, strict=True)]
    shares = pd.DataFrame(found, index=successes.index)[["value", "low", "high"]]
    return shares.rename(columns={"value": "fraction"}).clip(0, 1)


def fraction_by_repeats(data: pd.DataFrame) -> pd.DataFrame:
    """Share of memorized paragraphs, with its interval, per bin of repeats (half a doubling wide).

    `data` has a row per paragraph: count, continuation_count, set. The result has a row per bin that holds
    paragraphs; repeats are those of the continuation where they are counted (`memloc.data.exposure`).
    """
    data = data.assign(repeats=exposure(data))
    grouped = data.groupby(np.floor(np.log2(data["repeats"]) * BINS_PER_DOUBLING).astype(int))
    binned = pd.DataFrame(
        {
            "repeats_mean": grouped["repeats"].mean(),
            "repeats_min": grouped["repeats"].min(),
            "repeats_max": grouped["repeats"].max(),
            "n_paragraphs": grouped.size(),
            "n_memorized": grouped["set"].agg(lambda sets: (sets == "memorized").sum()),
        }
    ).reset_index(drop=True)
    return binned.join(intervals(binned.n_memorized, binned.n_paragraphs))


def first_half(binned: pd.DataFrame) -> int | None:
    """Fewest repeats of the first bin in which half of the paragraphs are memorized; None: no bin."""
    half = binned[binned.fraction >= 0.5]
    return int(half.repeats_min.iloc[0]) if len(half) else None


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
