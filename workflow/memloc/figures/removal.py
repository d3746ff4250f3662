"""Ways to remove recitation, by the losses of removed paragraphs and of other text (extended)."""

import pandas as pd
from matplotlib.lines import Line2D

from memloc.figures.parts import removal
from memloc.figures.parts.style import Drawing, Numbers, dots, subplots
from memloc.settings.base import Section
from memloc.settings.removal_ways import EDITS, LABELS
from memloc.statistics.exact import CONFIDENCE, share
from memloc.statistics.uncertainty import Interval

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
LOOKS = {
    "joint": (f"paragraphs removed {removal.MODES['joint']}", "black", "o"),
    "single": (f"paragraphs removed {removal.MODES['single']}", "#e69f00", "^"),
}
FRONT, OTHERS = "#c8102e", "black"


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """A row per way, a panel per judge. The CSV has all judges, settings, and changed weights."""
    data, front = removal.judged_ways(tables), undominated(removal.units_of(tables))
    ways = {way: LABELS[way] for way in removal.ways_of(data)}
    panels = {measure: shown for measure, shown in PANELS.items() if measure in set(data["measure"])}
    figure, axes = subplots(1.0 + 0.19 * len(ways), ncols=len(panels), sharey=True)
    for panel, (measure, (name, unit)) in zip(axes, panels.items(), strict=True):
        dots(panel, data[data["measure"] == measure], "way", ways, "mode", LOOKS)
        panel.axhline(sum(way in EDITS for way in ways) - 0.5, color="0.3", lw=0.7, zorder=1)
        panel.axvline(0, color="0.75", lw=0.5, zorder=1)
        removal.finish_panel(panel, name, unit, settings.paragraph.continuation)
        panel.set_facecolor("white" if measure in OF_REMOVED else "#fbf6ee")
    for tick, way in zip(axes[0].get_yticklabels(), ways, strict=True):
        tick.set(color=FRONT if way in front else OTHERS)
    axes[0].set_title("removed paragraphs", loc="left")
    axes[list(panels).index("em_other_lost")].set_title("text that must stay", loc="left")
    label = "name in red: no other way forgets more and costs less other output"
    red = Line2D([], [], ls="", marker="s", ms=3.4, color=FRONT, label=label)
    handles = [*axes[0].get_legend_handles_labels()[0], red]
    figure.legend(handles=handles, loc="outside upper center", ncols=3)
    about = tables["removal"].groupby(["way", "mode"])
    about = about.agg(setting=("setting", "first"), weights=("n_changed_weights", "median"))
    plotted = data.assign(front=data["way"].isin(front)).join(about, on=["way", "mode"])
    return Drawing(figure, plotted, _numbers(data, front))


def undominated(units: dict[str, pd.DataFrame]) -> list[str]:
    """Ways that no other way beats when paragraphs are removed together.

    A way beats another if neither mean, of tokens forgotten and of tokens that own continuations lose, is to
    its disadvantage, and in one it does better with most of the texts that differ (exact test, 95 %).
    """
    gains = {}
    for measure, sign in (("forgotten", 1), ("em_own_lost", -1)):
        rows = units[measure][units[measure]["mode"] == "joint"]
        gains[measure] = sign * rows.pivot(index="unit", columns="way", values="value")
    ways = removal.ways_of(units["forgotten"])

    def beats(one: str, other: str) -> bool:
        gained = [values[one] - values[other] for values in gains.values()]
        shares = [share(int((own > 0).sum()), int((own != 0).sum())).interval(CONFIDENCE) for own in gained]
        return all(own.mean() >= 0 for own in gained) and any(low > 0.5 for low, _ in shares)

    return [way for way in ways if not any(beats(other, way) for other in ways if other != way)]


def _numbers(data: pd.DataFrame, front: list[str]) -> Numbers:
    joint = data[data["mode"] == "joint"].set_index(["way", "measure"])[[*Interval._fields]]
    intervals = {key: Interval(*row) for key, *row in joint.itertuples()}
    shown, ways = ("forgotten", "em_own_lost", "em_other_lost"), removal.ways_of(data)
    sizes = data[data["measure"] == "forgotten"].groupby("mode")["n"].max()
    return {
        "front": [{name: intervals[way, name] for name in shown} | {"label": LABELS[way]} for way in front],
        "n_joint": int(sizes["joint"]),
        "n_single": int(sizes.get("single", 0)),
        "n_ways": len(ways),
        "n_edits": sum(way in EDITS for way in ways),
    }
