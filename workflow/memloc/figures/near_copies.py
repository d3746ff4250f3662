"""Recitation by exact and near-copies, and what a near-copy is worth (2405.15523)."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator

from memloc.figures.parts.memorized_fraction import intervals
from memloc.figures.parts.style import COLOURS, MARKERS, Drawing, panel_labels, subplots
from memloc.scoring.copies import by_kind
from memloc.settings.base import Section
from memloc.statistics.uncertainty import Interval, proportion
from memloc.tables.terms.near_copies import WRITTEN

EXACT = {1: "1", 2: "2, 3", 4: "4-7", 8: "8-15", 16: "16+"}  # bins by their first number
NEAR = {0: "none", 1: "1-3", 4: "4-15", 16: "16 or more"}
COLOURS_OF_NEAR = ("0.6", "#56b4e9", "#e69f00", COLOURS["memorized"])
# 2405.15523: worths by membership inference, by the part of the words that is replaced.
PUBLISHED = {"within_10": ("a tenth", 0.60, 0.65), "within_50": ("half", 0.15, 0.20)}


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """(a) Share recited by exact copies, a line per number of near-copies; crosses: the fit. (b) Worths."""
    data = tables["near_copies"].merge(tables["scores"][["id", "em"]], on="id")
    data["recited"] = data["em"] == settings.paragraph.continuation
    copies = by_kind(data)
    data["near"] = copies.sum(axis=1)
    seen, worth = data[data["within_0"] > 0], tables["copy_worth"]
    worth = worth[worth["n_paragraphs"] > 0]
    holds = copies.loc[seen.index, worth["copies"]] > 0
    shares, worth = _shares(seen), worth.assign(n_recited=holds[seen["recited"]].sum().to_numpy())
    figure, axes = subplots(2.7, ncols=2, width_ratios=(3, 2))
    _by_copies(axes[0], shares)
    _worths(axes[1], worth)
    panel_labels(axes)
    plotted = [shares.assign(panel="a"), worth.assign(panel="b")]
    return Drawing(figure, pd.concat(plotted, ignore_index=True), _numbers(data, shares, worth))


def _shares(seen: pd.DataFrame) -> pd.DataFrame:
    """Share recited, and expected by the fit, by bins of exact and near-copies (`EXACT`, `NEAR`)."""
    bins = [
        pd.cut(seen[name], [*first, np.inf], right=False, labels=[*first]).astype(int)
        for name, first in (("within_0", EXACT), ("near", NEAR))
    ]
    grouped = seen.groupby(bins)
    found = grouped.agg(n=("recited", "size"), n_recited=("recited", "sum"), expected=("expected", "mean"))
    return found.join(intervals(found["n_recited"], found["n"])).reset_index()


def _by_copies(axes: Axes, shares: pd.DataFrame) -> None:
    places = {first: place for place, first in enumerate(EXACT)}
    for number, (first, label) in enumerate(NEAR.items()):
        rows = shares[shares["near"] == first]
        at = rows["within_0"].map(places) + 0.1 * (number - 1.5)
        look = {"color": COLOURS_OF_NEAR[number]}
        axes.vlines(at, rows["low"], rows["high"], lw=0.9, **look)
        axes.plot(at, rows["fraction"], marker=MARKERS[number], ms=3, label=label, **look)
        axes.plot(at, rows["expected"], marker="x", ms=4, lw=0, mew=0.8, **look)
    axes.xaxis.set_major_locator(FixedLocator(list(places.values())))
    axes.set_xticklabels(EXACT.values())
    axes.set(xlabel="exact occurrences in the training text", ylabel="share recited", ylim=(-0.02, 1.02))
    axes.legend(title="near-copies", loc="upper left")


def _worths(axes: Axes, worth: pd.DataFrame) -> None:
    places = np.arange(len(worth))[::-1]
    axes.axvline(0, color="0.8", lw=0.6)
    axes.axvline(1, color="0.8", lw=0.6)
    for place, name in zip(places, worth["copies"], strict=True):
        if name in PUBLISHED:
            _, low, high = PUBLISHED[name]
            axes.barh(place, high - low, left=low, height=0.6, color="0.85", zorder=0)
    axes.hlines(places, worth["low"], worth["high"], color="black", lw=0.9)
    axes.plot(worth["worth"], places, "o", color="black", ms=3)
    edited = worth["copies"].str.replace("within_", "") + " %"
    axes.set_yticks(
        places, edited + "\n" + worth["n_recited"].astype(str) + " of " + worth["n_paragraphs"].astype(str)
    )
    axes.set(xlabel="worth in exact copies", ylabel="edited tokens, up to", ylim=(-0.6, len(worth) - 0.4))


def _numbers(data: pd.DataFrame, shares: pd.DataFrame, worth: pd.DataFrame) -> dict[str, Any]:
    once = data.assign(near=data["near"] > 0)[data["within_0"] == 1].groupby("recited")["near"]
    shares_of_once = {recited: proportion(int(own.sum()), len(own)) for recited, own in once}
    tenth = worth[(worth["copies"] == "within_10") & worth["worth"].notna()]
    return {
        "n": int((data["within_0"] > 0).sum()),
        "n_missed": int((~shares["expected"].between(shares["low"], shares["high"])).sum()),
        "n_shares": len(shares),
        "once": shares_of_once.get(True),
        "once_others": shares_of_once.get(False),
        "tenth": Interval(*tenth.iloc[0][["worth", "low", "high", "n_groups"]]) if len(tenth) else None,
        "fitted": bool(worth["worth"].notna().any()),
        "published": " or ".join(PUBLISHED[name][0] for name in worth["copies"] if name in PUBLISHED),
        "unknown": bool(worth["worth"].isna().any()),
        "written": f"within_{WRITTEN[-1]}" in by_kind(data),
    }
