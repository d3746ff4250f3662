"""Does a removal hit the place of a memory that grew there, and what if it is told the place (extended)?"""

import pandas as pd

from memloc.figures.parts.grown import KIND_LABELS
from memloc.figures.parts.removal import finish_panel, ways_of
from memloc.figures.parts.style import Drawing, Numbers, dots, subplots
from memloc.settings.base import Section
from memloc.settings.removal_ways import ELSEWHERE, FREE, LABELS, PLACE
from memloc.statistics import uncertainty

PANELS = {  # name and unit
    "share_inside": ("change inside\nthe place", "share"),
    "forgotten": ("forgotten", "tokens"),
    "again": ("comes back", "share"),
    "grown_lost": ("other grown\ntext: lost", "tokens"),
    "memorized_lost": ("memorized\ntext: lost", "tokens"),
    "nll_gained": ("held-out text:\nNLL gained", "nats"),
}
LOOKS = {
    FREE: ("as it is", "black", "o"),
    PLACE: ("told the place", "#c8102e", "o"),
    ELSEWHERE: ("told another place", "#1f5fbf", "o"),
}
KEYS = ["kind", "way", "arm", "measure"]


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """A row of panels per kind, in each a row per way: means of memories with intervals, a colour per arm.
    Faint: single memories, of the way as it is. Dotted: the share of the weights that places have."""
    rows, n_tokens = tables["removal_of_grown"], settings.paragraph.continuation
    left = rows.assign(forgotten=n_tokens - rows["em"], again=rows["relearning_steps"].notna().astype(float))
    left["again"] = left["again"].where(left["forgotten"] > 0)
    left["share_inside"] = left["share_inside"].where(left["arm"] == FREE)  # no result where the way is told
    values = left.melt(KEYS[:-1], list(PANELS), "measure").dropna(subset="value")
    data = uncertainty.means(values.groupby(KEYS)["value"]).reset_index()
    most = {"tokens": n_tokens, "share": 1}
    limit = data["measure"].map({name: most.get(unit) for name, (_, unit) in PANELS.items()})
    data = data.assign(low=data["low"].clip(lower=0 * limit), high=data["high"].clip(upper=limit))
    kinds = [kind for kind in KIND_LABELS if kind in set(rows["kind"])]
    ways = {way: LABELS[way] for way in ways_of(rows)}
    size = {"height": 0.9 + len(kinds) * (0.3 + 0.15 * len(ways)), "nrows": len(kinds), "ncols": len(PANELS)}
    figure, axes = subplots(**size, sharex="col", sharey=True, squeeze=False)
    about = rows.groupby("kind").agg(n=("id", "nunique"), chance=("share_place", "mean"))
    for kind, panels in zip(kinds, axes, strict=True):
        for (measure, (name, unit)), panel in zip(PANELS.items(), panels, strict=True):
            own, mean = (f[(f["kind"] == kind) & (f["measure"] == measure)] for f in (values, data))
            dots(panel, mean, "way", ways, "arm", LOOKS, own[own["arm"] == FREE])
            finish_panel(panel, name, unit, n_tokens)
            panel.label_outer()
        panels[0].axvline(about.at[kind, "chance"], color="0.3", lw=0.9, ls=":")
        panels[0].set_title(KIND_LABELS[kind], loc="left")
    figure.legend(*panel.get_legend_handles_labels(), loc="outside upper center", ncols=len(LOOKS))
    return Drawing(figure, data, {"kinds": [_numbers(data, about.loc[kind], kind) for kind in kinds]})


def _numbers(data: pd.DataFrame, about: pd.Series, kind: str) -> Numbers:
    """The way of which the largest share of the change lies inside, as it is."""
    inside = data[(data["kind"] == kind) & (data["measure"] == "share_inside")].set_index("way")["value"]
    best = inside.idxmax()
    said = {"kind": KIND_LABELS[kind], "n": int(about["n"]), "chance": float(about["chance"])}
    return said | {"best": LABELS[best], "inside": float(inside[best])}
