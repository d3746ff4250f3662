"""Profiles of natural, grown and planted memories side by side, and what a classifier takes them for."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from memloc.figures.parts.planted import KIND_LABELS
from memloc.figures.parts.style import COLOURS, Drawing, panel_labels, subplots
from memloc.planting.likeness import NUMBERS, PENALTIES, best_penalty, differences, log_odds, told_apart
from memloc.settings.base import Section
from memloc.settings.model import GROWN_GRANULARITIES
from memloc.statistics.studentised import share
from memloc.tables.schemas.memory_profiles import NATURAL, NONE

# By number: label of its panel, and what the caption calls it.
LABELS = {
    "nll": ("NLL (nats per token)", "mean NLL"),
    "nll_largest": ("largest NLL of a token", "largest NLL of a token"),
    "log_p_half": ("log p, half the prefix", "log-probability after half of the prefix"),
    "prefix_mean": ("replaced token: mean rise", "mean rise of the NLL when a prefix token is replaced"),
    "prefix_largest": ("replaced token: largest", "largest rise when a prefix token is replaced"),
    "depth_lower": ("ablation: lower half", "share of the lower half of layers by ablation"),
    "depth_largest": ("ablation: one layer", "largest share of one layer by ablation"),
    "gradient": ("gradient: log norm", "log norm of the gradient"),
    "gradient_lower": ("gradient: lower half", "share of the lower half of layers in the gradient"),
    "unlearned": ("rise after 3 steps up", "rise of the NLL after three steps of unlearning"),
    "relearned": ("rise left after 3 back", "rise that three steps back leave"),
}
SCALES = {"nll": "log", "nll_largest": "log", "log_p_half": "symlog"}
ODDS = "log_odds"
GROWN, PLANTED = "grown", "planted"
GROUPS = {NATURAL: COLOURS["memorized"], NONE: COLOURS["non_memorized"], GROWN: "#2e8b57", PLANTED: "#8e44ad"}


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """A panel per number, a row per kind: paragraphs faintly, medians boldly; the last panel: log odds."""
    rows = tables["memory_profiles"]
    odds = {penalty: log_odds(rows, penalty) for penalty in PENALTIES}
    chosen = best_penalty(rows, odds)
    rows = rows.assign(group=rows["kind"].map(group_of), **{ODDS: odds[chosen]})
    kinds = [kind for kind in (NATURAL, *KIND_LABELS, NONE) if (rows["kind"] == kind).any()]
    figure, axes = subplots(1.8 + 0.42 * max(len(kinds), 7), nrows=3, ncols=4, sharey=True)
    labels = {name: label for name, (label, _) in LABELS.items()} | {ODDS: "log odds of a memory"}
    for panel, (name, label) in zip(axes.flat, labels.items(), strict=True):
        _panel(panel, rows, name, kinds)
        panel.set_xlabel(label)
        if name in SCALES:
            panel.set_xscale(SCALES[name])
            panel.xaxis.set(major_formatter="{x:g}", minor_formatter="")
    panel_labels(axes.flat)
    axes.flat[-1].axvline(0, color="0.6", lw=0.6, ls=":", zorder=0)
    axes[0][0].set_yticks(range(len(kinds)), [KIND_LABELS.get(kind, kind) for kind in kinds])
    axes[0][0].set_ylim(len(kinds) - 0.5, -0.5)
    return Drawing(figure, rows, _numbers(rows, odds, chosen))


def group_of(kind: str) -> str:
    """Natural, none, grown or planted."""
    return kind if kind in (NATURAL, NONE) else GROWN if kind in GROWN_GRANULARITIES else PLANTED


def _panel(axes: Axes, rows: pd.DataFrame, name: str, kinds: list[str]) -> None:
    for place, kind in enumerate(kinds):
        own, colour = rows.loc[rows["kind"] == kind, name], GROUPS[group_of(kind)]
        axes.scatter(own, place + np.linspace(-0.3, 0.3, len(own)), s=3, color=colour, alpha=0.45, lw=0)
        axes.vlines(own.median(), place - 0.4, place + 0.4, color=colour, lw=1.4)
    axes.tick_params(axis="y", length=0)


def _numbers(rows: pd.DataFrame, odds: dict[float, np.ndarray], chosen: float) -> dict[str, Any]:
    """A paragraph that is planted in several places counts once, with its means."""
    rows = pd.concat([rows[["group", "id", *NUMBERS]], pd.DataFrame(odds, rows.index)], axis=1)
    rows = rows.groupby(["group", "id"]).mean().reset_index()
    rows, groups = rows.assign(kind=rows["group"]), {}
    for group in filter(set(rows["group"]).__contains__, GROUPS):
        own = rows["group"] == group
        every = {penalty: share(int((rows.loc[own, penalty] > 0).sum()), int(own.sum())) for penalty in odds}
        groups[group] = {"taken": every[chosen], "every": every.values()}
        if group in (GROWN, PLANTED):
            found = differences(rows, own).assign(number=[LABELS[name][1] for name in NUMBERS])
            unlike = found[found["p"] < 0.05].to_dict("records")
            groups[group] |= {"apart": told_apart(rows, own), "unlike": unlike}
    return {"groups": groups, "penalties": PENALTIES, "chosen": chosen}
