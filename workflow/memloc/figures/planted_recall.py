"""How much of a planted place each method finds (extended)."""

import pandas as pd
from matplotlib.axes import Axes

from memloc.figures.parts.planted import (
    CONTROL_LABELS,
    kinds_of,
    label,
    means,
    methods_of,
    numbers_of,
    of_own_units,
    panel_title,
)
from memloc.figures.parts.style import PAGE_WIDTH, Drawing, subplots
from memloc.settings.base import Section

CONTROL_COLOURS = {"plant": "#c8102e", "wrong": "#8e44ad", "twin": "#1f5fbf"}


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """A panel per kind: recall of every method among as many units as the place has, and of the controls."""
    rows = of_own_units(tables["planted_truth"])
    data, methods, kinds = means(rows, "recall_1"), methods_of(rows), kinds_of(rows)
    height = 0.9 + 0.15 * len(methods)
    figure, axes = subplots(PAGE_WIDTH, height, ncols=len(kinds), sharey=True, squeeze=False)
    for panel, kind in zip(axes[0], kinds, strict=True):
        own = rows[rows["kind"] == kind]
        _panel(panel, data[data["kind"] == kind], methods)
        panel.axvline((own["n_place"] / own["n_units"]).mean(), color="0.6", lw=0.6, ls=":")
        panel.set(title=panel_title(kind), xlim=(-0.05, 1.05), xlabel="recall")
    axes[0][0].set_yticks(range(len(methods)), [label(name) for name in methods])
    axes[0][0].invert_yaxis()
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return Drawing(
        figure, data, {"kinds": numbers_of(tables["plants"]), "controls": sorted(data["control"].unique())}
    )


def _panel(axes: Axes, data: pd.DataFrame, methods: list[str]) -> None:
    for number, (control, colour) in enumerate(CONTROL_COLOURS.items()):
        rows = data[data["control"] == control]
        if rows.empty:
            continue
        places = [methods.index(name) + 0.22 * (number - 1) for name in rows["method"]]
        axes.hlines(places, rows["low"].clip(0, 1), rows["high"].clip(0, 1), color=colour, lw=0.8)
        axes.scatter(rows["value"], places, s=9, color=colour, label=CONTROL_LABELS[control], zorder=3)
