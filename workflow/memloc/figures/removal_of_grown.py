"""Does a removal hit the place of a memory that grew there, and what if it is told the place (extended)?"""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from memloc.figures.parts.grown import KIND_LABELS
from memloc.figures.parts.removal import in_nats, ways_of
from memloc.figures.parts.style import Drawing, stripes, subplots
from memloc.settings.base import Section
from memloc.settings.removal_ways import FREE, GROWN_ARMS, LABELS
from memloc.statistics import uncertainty

PANELS = {  # name and unit
    "share_inside": ("change inside\nthe place", "share"),
    "forgotten": ("forgotten", "tokens"),
    "again": ("comes back", "share"),
    "grown_lost": ("other grown\ntext: lost", "tokens"),
    "memorized_lost": ("memorized\ntext: lost", "tokens"),
    "nll_gained": ("held-out text:\nNLL gained", "nats"),
}
LOOKS = ("as it is", "black"), ("told the place", "#c8102e"), ("told another place", "#1f5fbf")
KEYS = ["kind", "way", "arm", "measure"]


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """A row of panels per kind, in each a row per way: means of memories with intervals, a colour per arm.

    Faint: single memories, of the way as it is. Dotted: the share of the weights that places have.
    """
    rows, n_tokens = tables["removal_of_grown"], settings.paragraph.continuation
    left = rows.assign(forgotten=n_tokens - rows["em"], again=rows["relearning_steps"].notna().astype(float))
    left["again"] = left["again"].where(left["forgotten"] > 0)
    left["share_inside"] = left["share_inside"].where(left["arm"] == FREE)  # no result where the way is told
    values = left.melt(KEYS[:-1], list(PANELS), "measure").dropna(subset="value")
    data = uncertainty.means(values.groupby(KEYS)["value"]).reset_index()
    most = {"tokens": n_tokens, "share": 1}
    limit = data["measure"].map({name: most.get(unit) for name, (_, unit) in PANELS.items()})
    data = data.assign(low=data["low"].clip(lower=0 * limit), high=data["high"].clip(upper=limit))
    kinds, ways = [kind for kind in KIND_LABELS if kind in set(rows["kind"])], ways_of(rows)
    size = {"height": 0.9 + len(kinds) * (0.3 + 0.15 * len(ways)), "nrows": len(kinds), "ncols": len(PANELS)}
    figure, axes = subplots(**size, sharex="col", sharey=True, squeeze=False)
    about = rows.groupby("kind").agg(n=("id", "nunique"), chance=("share_place", "mean"))
    for kind, panels in zip(kinds, axes, strict=True):
        for (measure, (name, unit)), panel in zip(PANELS.items(), panels, strict=True):
            own, mean = (f[(f["kind"] == kind) & (f["measure"] == measure)] for f in (values, data))
            _panel(panel, own[own["arm"] == FREE], mean, ways)
            panel.set_xlabel(f"{name}\n({unit})", fontsize=6)
            panel.set_xlim(-0.08 * most[unit], 1.08 * most[unit]) if unit in most else in_nats(panel)
            panel.label_outer()
        panels[0].axvline(about.at[kind, "chance"], color="0.3", lw=0.9, ls=":")
        panels[0].set_title(KIND_LABELS[kind], loc="left")
    panel.set_yticks(range(len(ways)), [LABELS[way] for way in ways])
    panel.set_ylim(len(ways) - 0.5, -0.5)
    figure.legend(*panel.get_legend_handles_labels(), loc="outside upper center", ncols=len(LOOKS))
    return Drawing(figure, data, {"kinds": [_numbers(data, about.loc[kind], kind) for kind in kinds]})


def _numbers(data: pd.DataFrame, about: pd.Series, kind: str) -> dict[str, Any]:
    """The way of which the largest share of the change lies inside, as it is."""
    inside = data[(data["kind"] == kind) & (data["measure"] == "share_inside")].set_index("way")["value"]
    best = inside.idxmax()
    said = {"kind": KIND_LABELS[kind], "n": int(about["n"]), "chance": float(about["chance"])}
    return said | {"best": LABELS[best], "inside": float(inside[best])}


def _panel(axes: Axes, own: pd.DataFrame, means: pd.DataFrame, ways: list[str]) -> None:
    stripes(axes, len(ways))
    faint = [ways.index(way) - 0.25 for way in own["way"]]
    axes.scatter(own["value"], faint, s=3, color="black", alpha=0.3, linewidth=0)
    for number, (arm, (label, colour)) in enumerate(zip(GROWN_ARMS, LOOKS, strict=True)):
        rows = means[means["arm"] == arm]
        places = [ways.index(way) + 0.25 * (number - 1) for way in rows["way"]]
        axes.hlines(places, rows["low"], rows["high"], color=colour, lw=0.8)
        axes.plot(rows["value"], places, "o", ms=2.6, mew=0, color=colour, label=label, zorder=3)
    axes.locator_params(axis="x", nbins=3)
    axes.tick_params(axis="y", length=0)
