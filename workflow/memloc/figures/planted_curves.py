"""What the first units of each ranking do: planted alone, and reverted (extended)."""

import numpy as np
import pandas as pd
from matplotlib import colormaps

from memloc.figures.parts.methods import BASELINES, method_label, methods_of
from memloc.figures.parts.planted import KIND_LABELS, kinds_of, panel_title
from memloc.figures.parts.style import PAGE_WIDTH, Drawing, subplots
from memloc.run.templates import escaped
from memloc.settings.base import Section
from memloc.statistics.uncertainty import Interval, mean, table

BASELINE_STYLES = {
    "weight_size": {"color": "0.6", "ls": "-"},
    "random": {"color": "black", "ls": ":"},
    "change": {"color": "black", "ls": "-"},
}
PANELS = {"kept": "planted alone", "left": "reverted"}
AREAS = ("cpr", "cmd", "reverted")


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """A row of panels for the units planted alone and one for their reversal; the CSV has areas, too."""
    rows = tables["planted_curves"]
    kinds, methods = kinds_of(rows), methods_of(rows)
    data = rows.groupby(["kind", "method", "share"], as_index=False)[[*PANELS]].mean()
    figure, axes = subplots(
        PAGE_WIDTH, 3.6, nrows=2, ncols=len(kinds), sharex=True, sharey=True, squeeze=False
    )
    colours = colormaps["tab20"]
    for row, (column, title) in zip(axes, PANELS.items(), strict=True):
        for panel, kind in zip(row, kinds, strict=True):
            for number, method in enumerate(methods):
                own = data[(data["kind"] == kind) & (data["method"] == method)]
                own_style = {"color": colours(number % 20), "ls": "-" if number % 2 else "--"}
                style = BASELINE_STYLES.get(method, own_style)
                panel.plot(own["share"], own[column], lw=0.8, label=method_label(method), **style)
            panel.set_xscale("log")
            panel.set_xticks([0.001, 0.01, 0.1, 1], ["0.1", "1", "10", "100"])
            panel.minorticks_off()
        row[0].set_ylabel(f"share of the gain,\nfirst units {title}")
    for panel, kind in zip(axes[0], kinds, strict=True):
        panel.set_title(panel_title(kind))
    for panel in axes[1]:
        panel.set_xlabel("first units (%)")
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    areas = plant_areas(rows)
    wide = _wide(areas)
    return Drawing(figure, data.merge(wide, on=["kind", "method"]), {"areas": _best(areas)})


def plant_areas(rows: pd.DataFrame) -> pd.DataFrame:
    """Areas of every plant's curves, from share 0 on, and their means over plants with intervals.

    CPR is the area below what the first units bring when they are planted alone, CMD that between it and one
    (2504.13151); `reverted` is the area below what is left when they are reverted. Columns: kind, method,
    area, value, low, high, n.
    """
    found = []
    for (kind, method, plant), own in rows.sort_values("share").groupby(["kind", "method", "plant"]):
        share = np.concatenate([[0], own["share"]])
        kept, left = np.concatenate([[0], own["kept"]]), np.concatenate([[1], own["left"]])
        sizes = {"cpr": kept, "cmd": np.abs(1 - kept), "reverted": left}
        areas = {name: np.trapezoid(curve, share) for name, curve in sizes.items()}
        found.append({"kind": kind, "method": method, "plant": plant, **areas})
    long = pd.DataFrame(found).melt(["kind", "method", "plant"], var_name="area")
    groups = long.groupby(["kind", "method", "area"])["value"]
    return table([mean(values) for _, values in groups], groups.size().index).reset_index()


def _wide(areas: pd.DataFrame) -> pd.DataFrame:
    """A row per kind and method: each area with its ends."""
    wide = areas.pivot(index=["kind", "method"], columns="area", values=["value", "low", "high"])
    wide.columns = [area if end == "value" else f"{area}_{end}" for end, area in wide.columns]
    return wide.reset_index()


def _best(areas: pd.DataFrame) -> list[dict]:
    """By kind, the method with the lowest mean CMD, next to a random ranking."""
    found, rivals = [], areas[~areas["method"].isin(BASELINES)]
    for kind in kinds_of(rivals):
        own = areas[areas["kind"] == kind].set_index(["area", "method"])
        cmd = rivals[(rivals["kind"] == kind) & (rivals["area"] == "cmd")].sort_values("value", kind="stable")
        best = cmd["method"].iloc[0]
        of = {area: Interval(*own.loc[(area, best), list(Interval._fields)]) for area in AREAS}
        chance = Interval(*own.loc[("cmd", "random"), list(Interval._fields)])
        labels = {"kind": KIND_LABELS[kind], "method": escaped(method_label(best))}
        found.append({**labels, **of, "chance": chance})
    return found
