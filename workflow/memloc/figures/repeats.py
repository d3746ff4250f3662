"""Fraction of paragraphs that are memorized, against how often they occur in training (not in the paper)."""

import numpy as np
import pandas as pd
from scipy import stats

from memloc.figures.style import COLOURS, Drawing, plain_log_ticks, subplots

CONFIDENCE = 0.95
BINS_PER_DOUBLING = 2


def wilson_interval(successes: np.ndarray, trials: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Wilson score interval of a proportion at the module's confidence."""
    z = stats.norm.ppf((1 + CONFIDENCE) / 2)
    share = successes / trials
    centre = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z / (1 + z**2 / trials) * np.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    return centre - half, centre + half


def fraction_by_repeats(data: pd.DataFrame) -> pd.DataFrame:
    """Share of memorized paragraphs, with its interval, per bin of repeats (half a doubling wide).

    `data` has a row per paragraph: count, set. The result has a row per bin that holds paragraphs.
    """
    grouped = data.groupby(np.floor(np.log2(data["count"]) * BINS_PER_DOUBLING).astype(int))
    binned = pd.DataFrame(
        {
            "count_mean": grouped["count"].mean(),
            "count_min": grouped["count"].min(),
            "count_max": grouped["count"].max(),
            "n_paragraphs": grouped.size(),
            "n_memorized": grouped["set"].agg(lambda sets: (sets == "memorized").sum()),
        }
    ).reset_index(drop=True)
    binned["fraction"] = binned.n_memorized / binned.n_paragraphs
    low, high = wilson_interval(binned.n_memorized.to_numpy(), binned.n_paragraphs.to_numpy())
    return binned.assign(low=low, high=high)


def first_half(binned: pd.DataFrame) -> int | None:
    """Fewest repeats of the first bin in which half of the paragraphs are memorized; None: no bin."""
    half = binned[binned.fraction >= 0.5]
    return int(half.count_min.iloc[0]) if len(half) else None


def draw(tables: dict[str, pd.DataFrame], settings: dict) -> Drawing:
    """Share of memorized paragraphs per bin of repeats with a 95 % Wilson band."""
    data = tables["paragraphs"][["id", "count"]].merge(tables["sets"][["id", "set"]], on="id")
    binned = fraction_by_repeats(data)
    figure, axes = subplots()
    axes.fill_between(binned.count_mean, binned.low, binned.high, color=COLOURS["memorized"], alpha=0.2, lw=0)
    axes.plot(binned.count_mean, binned.fraction, marker="o", ms=3, color=COLOURS["memorized"])
    axes.set(
        xscale="log",
        xlabel="occurrences in the corpus",
        ylabel="fraction memorized",
        ylim=(-0.02, 1.02),
    )
    plain_log_ticks(axes.xaxis)
    memorized = data.loc[data["set"] == "memorized", "count"]
    numbers = {
        "confidence": CONFIDENCE,
        "first_memorized": int(memorized.min()) if len(memorized) else None,
        "half": first_half(binned),
        "n_paragraphs": len(data),
    }
    return Drawing(figure, binned, numbers)
