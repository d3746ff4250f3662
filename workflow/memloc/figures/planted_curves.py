"""What the first units of each ranking do: planted alone, and reverted (extended)."""

import numpy as np
import pandas as pd
from matplotlib import colormaps

from memloc.figures.parts.planted import BASELINES, KIND_LABELS, kinds_of, label, methods_of, panel_title
from memloc.figures.parts.style import PAGE_WIDTH, Drawing, subplots
from memloc.run.templates import escaped
from memloc.settings.base import Section

BASELINE_STYLES = {
    "weight_size": {"color": "0.6", "ls": "-"},
    "random": {"color": "black", "ls": ":"},
    "change": {"color": "black", "ls": "-"},
}
PANELS = {"kept": "planted alone", "left": "reverted"}


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
                panel.plot(own["share"], own[column], lw=0.8, label=label(method), **style)
            panel.set_xscale("log")
            panel.set_xticks([0.001, 0.01, 0.1, 1], ["0.1", "1", "10", "100"])
            panel.minorticks_off()
        row[0].set_ylabel(f"share of the gain,\nfirst units {title}")
    for panel, kind in zip(axes[0], kinds, strict=True):
        panel.set_title(panel_title(kind))
    for panel in axes[1]:
        panel.set_xlabel("first units (%)")
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    areas = _areas(data)
    return Drawing(figure, data.merge(areas, on=["kind", "method"]), {"areas": _best(areas)})


def _areas(data: pd.DataFrame) -> pd.DataFrame:
    """CPR, the area below the curve, and CMD, that between it and one (2504.13151), from share 0 on."""
    found = []
    for (kind, method), rows in data.sort_values("share").groupby(["kind", "method"]):
        share = np.concatenate([[0], rows["share"]])
        kept = np.concatenate([[0], rows["kept"]])
        areas = {"cpr": np.trapezoid(kept, share), "cmd": np.trapezoid(np.abs(1 - kept), share)}
        found.append({"kind": kind, "method": method, **areas})
    return pd.DataFrame(found)


def _best(areas: pd.DataFrame) -> list[dict]:
    found, rivals = [], areas[~areas["method"].isin(BASELINES)]
    for kind in kinds_of(rivals):
        best = rivals[rivals["kind"] == kind].sort_values("cmd", kind="stable").iloc[0]
        chance = areas[(areas["kind"] == kind) & (areas["method"] == "random")]["cmd"].iloc[0]
        labels = {"kind": KIND_LABELS[kind], "method": escaped(label(best["method"]))}
        found.append(
            {**labels, "cmd": float(best["cmd"]), "cpr": float(best["cpr"]), "chance": float(chance)}
        )
    return found
