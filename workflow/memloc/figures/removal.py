"""Ways to remove recitation: tokens forgotten against what other text loses (extended)."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from memloc.figures.parts.removal import LABELS, WAY_STYLES, judged_ways, units_of, ways_of
from memloc.figures.parts.style import PAGE_WIDTH, Drawing, panel_label, subplots
from memloc.settings.base import Section
from memloc.statistics.uncertainty import Interval, paired

COSTS = {
    "em_own_lost": "lost by own continuations of others (tokens)",
    "nll_gained": "NLL gained by held-out text (nats per token)",
}
LINEAR = 0.1  # nats: the axis of NLLs is linear below, logarithmic above


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Up and to the left is better; arrows run from removing one by one to removing together."""
    data = judged_ways(tables)
    figure, axes = subplots(PAGE_WIDTH, 3.9, ncols=2, sharey=True)
    for panel, (cost, label), letter in zip(axes, COSTS.items(), "ab", strict=True):
        for way in ways_of(data):
            _points(panel, data[data["way"] == way], cost, way)
        panel.axvline(0, color="0.85", lw=0.5, zorder=0)
        panel.set_xlabel(label)
        panel_label(panel, letter)
    axes[1].set_xscale("symlog", linthresh=LINEAR, linscale=0.6)
    axes[1].xaxis.set_major_formatter("{x:g}")
    axes[0].set_ylabel("forgotten by removed paragraphs (tokens)")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    front = undominated(units_of(tables))
    return Drawing(figure, data.assign(front=data["way"].isin(front)), _numbers(data, front))


def _points(axes: Axes, rows: pd.DataFrame, cost: str, way: str) -> None:
    label, colour, marker = WAY_STYLES[way]
    places = {}
    for mode in ("single", "joint"):
        own = rows[rows["mode"] == mode].set_index("measure")
        if own.empty:
            continue
        x, y = own.loc[cost], own.loc["forgotten"]
        places[mode] = (x["value"], y["value"])
        filled = {"mfc": colour if mode == "joint" else "white", "mec": colour}
        axes.plot(*places[mode], ls="", marker=marker, ms=5 if mode == "joint" else 3.5, zorder=3, **filled)
        axes.hlines(y["value"], x["low"], x["high"], color=colour, lw=0.7, alpha=0.6)
        axes.vlines(x["value"], y["low"], y["high"], color=colour, lw=0.7, alpha=0.6)
    axes.plot([], [], ls="", marker=marker, ms=5, color=colour, label=label)
    if len(places) == 2:
        arrow = {"arrowstyle": "->", "color": colour, "lw": 0.6, "alpha": 0.6, "shrinkA": 3, "shrinkB": 3}
        axes.annotate("", places["joint"], places["single"], arrowprops=arrow)


def undominated(units: dict[str, pd.DataFrame]) -> list[str]:
    """Ways that no other one beats for certain, removing together.

    One beats another if its paired differences of tokens forgotten and of tokens that own continuations lose
    are not to its disadvantage, and one of the two is to its advantage beyond its 95 % interval.
    """
    gains = {}
    for measure, sign in (("forgotten", 1), ("em_own_lost", -1)):
        rows = units[measure][units[measure]["mode"] == "joint"]
        gains[measure] = sign * rows.pivot(index="unit", columns="way", values="value")
    ways = [way for way in WAY_STYLES if way in gains["forgotten"]]

    def beats(one: str, other: str) -> bool:
        found = [paired(values[one] - values[other]) for values in gains.values()]
        return all(own.value >= 0 for own in found) and any(own.low > 0 for own in found)

    return [way for way in ways if not any(beats(other, way) for other in ways if other != way)]


def _numbers(data: pd.DataFrame, front: list[str]) -> dict[str, Any]:
    joint = data[data["mode"] == "joint"].set_index(["way", "measure"])[[*Interval._fields]]
    intervals = {key: Interval(*row) for key, *row in joint.itertuples()}
    shown = ("forgotten", *COSTS)
    found = [{"label": LABELS[way], **{name: intervals[way, name] for name in shown}} for way in front]
    sizes = data[data["measure"] == "forgotten"].groupby("mode")["n"].max()
    texts = data[(data["measure"] == "em_own_lost") & (data["mode"] == "joint")]["n"].max()
    return {
        "front": found,
        "n_joint": int(sizes["joint"]),
        "n_single": int(sizes.get("single", 0)),
        "n_texts": int(texts),
        "n_ways": len(ways_of(data)),
    }
