"""Ways to remove recitation, by the losses of removed paragraphs and of other text (extended)."""

import pandas as pd

from memloc.figures.parts import removal
from memloc.figures.parts.style import Drawing, Numbers, dots, subplots
from memloc.settings.base import Section
from memloc.settings.removal_ways import DIVERSIONS, EDITS, LABELS

PANELS = {  # name and unit
    "forgotten": ("forgotten", "tokens"),
    "recited_perturbed": ("recited with a\ntoken replaced", "share"),
    "recited_4bit": ("recited with\n4-bit weights", "share"),
    "nll_distance": ("NLL away from\na retrained model", "nats"),
    "em_other_lost": ("other recited\ntext: lost", "tokens"),
    "em_own_lost": ("other text:\nlost", "tokens"),
    "nll_gained": ("held-out text:\nNLL gained", "nats"),
}
# The other panels are on text that must stay.
OF_REMOVED = ("forgotten", "recited_perturbed", "recited_4bit", "nll_distance")
LOOKS = {
    "joint": (f"removed {removal.MODES['joint']}", "black", "o"),
    "single": (f"removed {removal.MODES['single']}", "#e69f00", "^"),
}


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """A row per way, a panel per judge. The CSV has all judges, settings, and changed weights."""
    data = removal.judged_ways(tables)
    ways = {way: LABELS[way] for way in removal.ways_of(data)}
    panels = {measure: shown for measure, shown in PANELS.items() if measure in set(data["measure"])}
    figure, axes = subplots(1.0 + 0.19 * len(ways), ncols=len(panels), sharey=True)
    for panel, (measure, (name, unit)) in zip(axes, panels.items(), strict=True):
        dots(panel, data[data["measure"] == measure], "way", ways, "mode", LOOKS)
        panel.axhline(sum(way in EDITS for way in ways) - 0.5, color="0.3", lw=0.7, zorder=1)
        panel.axvline(0, color="0.75", lw=0.5, zorder=1)
        removal.finish_panel(panel, name, unit, settings.paragraph.continuation)
        panel.set_facecolor("white" if measure in OF_REMOVED else "#fbf6ee")
    axes[0].set_title("removed paragraphs", loc="left")
    axes[list(panels).index("em_other_lost")].set_title("text that must stay", loc="left")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    about = tables["removal"].groupby(["way", "mode"])
    about = about.agg(setting=("setting", "first"), weights=("n_changed_weights", "median"))
    n_top = about["weights"].get(("top", "joint"))
    numbers = _numbers(data) | {"n_continuation": settings.paragraph.continuation, "n_top": n_top}
    return Drawing(figure, data.join(about, on=["way", "mode"]), numbers)


def _numbers(data: pd.DataFrame) -> Numbers:
    ways, joint = removal.ways_of(data), data[data["mode"] == "joint"]
    edits = joint[joint["way"].isin(EDITS)].groupby("measure")["value"].agg(["min", "max"])
    forgotten = data[data["measure"] == "forgotten"].set_index(["mode", "way"])
    sizes, forgotten = forgotten["n"].groupby("mode").max(), forgotten["value"]["joint"]
    return {
        "edits": edits.loc[["forgotten", "em_own_lost"]].T.to_dict("list"),
        "diversions": {LABELS[way]: forgotten[way] for way in ways if way in DIVERSIONS},
        "n_joint": int(sizes["joint"]),
        "n_single": int(sizes.get("single", 0)),
        "n_ways": len(ways),
        "n_edits": sum(way in EDITS for way in ways),
    }
