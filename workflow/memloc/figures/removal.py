"""Ways to remove recitation, by the losses of removed paragraphs and of other text (extended)."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from memloc.figures.parts import removal
from memloc.figures.parts.style import Drawing, stripes, subplots
from memloc.settings.base import Section
from memloc.settings.removal_ways import EDITS, LABELS
from memloc.statistics.uncertainty import Interval, paired

PANELS = {  # name and unit
    "forgotten": ("forgotten", "tokens"),
    "recited_perturbed": ("recited with a\ntoken replaced", "share"),
    "recited_4bit": ("recited with\n4-bit weights", "share"),
    "nll_distance": ("NLL away from\na retrained model", "nats"),
    "em_other_lost": ("other memorized\ntext: lost", "tokens"),
    "em_own_lost": ("its other\noutput: lost", "tokens"),
    "nll_gained": ("held-out text:\nNLL gained", "nats"),
}
# The other panels are on text that must stay.
OF_REMOVED = ("forgotten", "recited_perturbed", "recited_4bit", "nll_distance")
MARKS = {"joint": {"marker": "o", "color": "black"}, "single": {"marker": "^", "color": "#e69f00"}}
SHIFT = {"joint": -0.16, "single": 0.16}
FRONT, OTHERS = "#c8102e", "black"


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """A row per way, a panel per judge: dots for paragraphs removed together, triangles for one
    by one, with intervals.

    Labels in red: ways that no other one beats. The CSV has all judges, settings, and changed weights.
    """
    data, front = removal.judged_ways(tables), undominated(removal.units_of(tables))
    ways = removal.ways_of(data)
    panels = {measure: shown for measure, shown in PANELS.items() if measure in set(data["measure"])}
    figure, axes = subplots(1.0 + 0.19 * len(ways), ncols=len(panels), sharey=True)
    most = {"tokens": settings.paragraph.continuation, "share": 1}
    for panel, (measure, (name, unit)) in zip(axes, panels.items(), strict=True):
        _panel(panel, data[data["measure"] == measure], ways)
        panel.set_xlabel(f"{name}\n({unit})", fontsize=6)
        panel.set_facecolor("white" if measure in OF_REMOVED else "#fbf6ee")
        if unit in most:
            panel.set_xlim(-0.07 * most[unit], 1.07 * most[unit])
        else:
            removal.in_nats(panel)
    axes[0].set_yticks(range(len(ways)), [LABELS[way] for way in ways])
    axes[0].set_ylim(len(ways) - 0.5, -0.5)
    for tick, way in zip(axes[0].get_yticklabels(), ways, strict=True):
        tick.set(color=FRONT if way in front else OTHERS)
    axes[0].set_title("removed paragraphs", loc="left")
    axes[list(panels).index("em_other_lost")].set_title("text that must stay", loc="left")
    red = Line2D([], [], ls="", label="red: no other way beats it")
    handles = [*axes[0].get_legend_handles_labels()[0], red]
    figure.legend(handles=handles, loc="outside upper center", ncols=3)
    about = tables["removal"].groupby(["way", "mode"])
    about = about.agg(setting=("setting", "first"), weights=("n_changed_weights", "median"))
    plotted = data.assign(front=data["way"].isin(front)).join(about, on=["way", "mode"])
    return Drawing(figure, plotted, _numbers(data, front))


def _panel(axes: Axes, rows: pd.DataFrame, ways: list[str]) -> None:
    stripes(axes, len(ways))
    axes.axhline(sum(way in EDITS for way in ways) - 0.5, color="0.3", lw=0.7, zorder=1)
    axes.axvline(0, color="0.75", lw=0.5, zorder=1)
    for mode, mark in MARKS.items():
        own = rows[(rows["mode"] == mode) & rows["way"].isin(ways)]
        places = [ways.index(way) + SHIFT[mode] for way in own["way"]]
        axes.hlines(places, own["low"], own["high"], color=mark["color"], lw=0.8)
        label = f"paragraphs removed {removal.MODES[mode]}"
        axes.plot(own["value"], places, ls="", ms=3.4, mew=0, label=label, **mark)
    axes.locator_params(axis="x", nbins=3)
    axes.tick_params(axis="y", length=0)


def undominated(units: dict[str, pd.DataFrame]) -> list[str]:
    """Ways that no other way beats when paragraphs are removed together.

    A way beats another if neither paired difference, of tokens forgotten and of tokens that own continuations
    lose, is to its disadvantage, and the 95 % interval of one shows an advantage.
    """
    gains = {}
    for measure, sign in (("forgotten", 1), ("em_own_lost", -1)):
        rows = units[measure][units[measure]["mode"] == "joint"]
        gains[measure] = sign * rows.pivot(index="unit", columns="way", values="value")
    ways = removal.ways_of(units["forgotten"])

    def beats(one: str, other: str) -> bool:
        found = [paired(values[one] - values[other]) for values in gains.values()]
        return all(own.value >= 0 for own in found) and any(own.low > 0 for own in found)

    return [way for way in ways if not any(beats(other, way) for other in ways if other != way)]


def _numbers(data: pd.DataFrame, front: list[str]) -> dict[str, Any]:
    joint = data[data["mode"] == "joint"].set_index(["way", "measure"])[[*Interval._fields]]
    intervals = {key: Interval(*row) for key, *row in joint.itertuples()}
    shown, ways = ("forgotten", "em_own_lost"), removal.ways_of(data)
    sizes = data[data["measure"] == "forgotten"].groupby("mode")["n"].max()
    return {
        "front": [{name: intervals[way, name] for name in shown} | {"label": LABELS[way]} for way in front],
        "n_joint": int(sizes["joint"]),
        "n_single": int(sizes.get("single", 0)),
        "n_ways": len(ways),
        "n_edits": sum(way in EDITS for way in ways),
    }
