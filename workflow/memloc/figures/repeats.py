"""Fraction of paragraphs that are memorized, against how often they occur in training (not in the paper)."""

import pandas as pd

from memloc.data.overlap import RUN
from memloc.data.sets import exposure, trained_on
from memloc.figures.parts import memorized_fraction as fraction
from memloc.figures.parts.style import COLOURS, Drawing, plain_log_ticks, subplots
from memloc.run.templates import percent
from memloc.settings.base import Section


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Share of memorized paragraphs per bin of repeats with a 95 % interval."""
    data = tables["paragraphs"].merge(trained_on(tables["sets"])[["id", "set"]], on="id")
    binned = fraction.repeat_bins(data.assign(memorized=data["set"] == "memorized"), "memorized")
    figure, axes = subplots(2.4, width=3.4)
    colour = COLOURS["memorized"]
    axes.vlines(binned.repeats_mean, binned.low, binned.high, color=colour, lw=0.9)
    axes.plot(binned.repeats_mean, binned.fraction, marker="o", ms=3, color=colour)
    if share := fraction.unseen_recited(tables, settings):
        place, colour = fraction.UNSEEN_AT, COLOURS["unseen"]
        axes.vlines(place, max(share.low, 0), min(share.high, 1), color=colour, lw=0.9)
        axes.plot(place, share.value, color=colour, marker="s", ms=3)
        fraction.name_unseen(axes)
    where = fraction.counted_in(tables)
    axes.set(xscale="log", xlabel=fraction.OCCURRENCES[where])
    axes.set(ylabel="share memorized", ylim=(-0.02, 1.02))
    plain_log_ticks(axes.xaxis)
    repeats = exposure(data)
    memorized = repeats[data["set"] == "memorized"]
    half = binned.loc[binned["fraction"] >= 0.5, "repeats_min"]
    numbers = {
        "where": where,
        "first_memorized": int(memorized.min()) if len(memorized) else None,
        "half": int(half.iloc[0]) if len(half) else None,
        "n_paragraphs": len(data),
        "rises": bool((binned["low"].iloc[-1:] > binned["high"].iloc[0]).any()),
        "unseen": fraction.said_of_unseen(share) + _unlike_the_text(tables, settings),
    }
    return Drawing(figure, binned, numbers)


def _unlike_the_text(tables: dict[str, pd.DataFrame], settings: Section) -> str:
    """A sentence on the unseen paragraphs of which the training text holds no run of 13 tokens."""
    run = tables["paragraphs"].set_index("id")["longest_run"]
    sets = tables["sets"]
    share = fraction.unseen_recited({**tables, "sets": sets[sets["id"].isin(run.index[run < RUN])]}, settings)
    if share is None:
        return ""
    return f" Of the {share.n} that share no run of {RUN} tokens with the training text: {percent(share)}."
