"""Average precision of every method for every kind of place, next to the unplanted twin's (extended)."""

import numpy as np
import pandas as pd

from memloc.figures.parts.planted import (
    CONTROL_LABELS,
    KIND_LABELS,
    MOST_DAMAGE,
    damage,
    kinds_of,
    label,
    means,
    methods_of,
    numbers_of,
    of_own_units,
)
from memloc.figures.parts.style import PAGE_WIDTH, SEQUENTIAL, Drawing, subplots
from memloc.settings.base import Section


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """A matrix of methods and kinds for the plants and for each control; CSV: also plants without damage."""
    rows = of_own_units(tables["planted_truth"])
    data, methods, kinds = means(rows, "average_precision"), methods_of(rows), kinds_of(rows)
    controls = [name for name in CONTROL_LABELS if name in set(rows["control"])]
    height = 0.9 + 0.17 * len(methods)
    figure, axes = subplots(PAGE_WIDTH, height, ncols=len(controls), sharey=True, squeeze=False)
    for panel, control in zip(axes[0], controls, strict=True):
        own = data[data["control"] == control]
        matrix = own.pivot(index="method", columns="kind", values="value").reindex(methods)[kinds]
        mesh = panel.pcolormesh(matrix.to_numpy(), cmap=SEQUENTIAL, vmin=0, vmax=1)
        for (row, column), value in np.ndenumerate(matrix.to_numpy()):
            if np.isfinite(value):
                colour = "black" if value > 0.6 else "white"
                panel.text(
                    column + 0.5,
                    row + 0.5,
                    f"{value:.2f}",
                    ha="center",
                    va="center",
                    fontsize=5,
                    color=colour,
                )
        panel.set_xticks(
            np.arange(len(kinds)) + 0.5, [KIND_LABELS[kind] for kind in kinds], rotation=30, ha="right"
        )
        panel.set_title(CONTROL_LABELS[control])
    axes[0][0].set_yticks(np.arange(len(methods)) + 0.5, [label(name) for name in methods])
    axes[0][0].invert_yaxis()
    figure.colorbar(mesh, ax=axes[0][-1], fraction=0.06, label="average precision")
    numbers = {"kinds": numbers_of(tables["plants"]), "most_damage": f"{100 * MOST_DAMAGE:g} %"}
    return Drawing(figure, pd.concat([data.assign(plants="all"), _harmless(tables, rows)]), numbers)


def _harmless(tables: dict[str, pd.DataFrame], rows: pd.DataFrame) -> pd.DataFrame:
    plants = tables["plants"]
    kept = plants[plants["reached"] & (damage(plants) <= MOST_DAMAGE)][["kind", "plant", "attempt"]]
    own = rows.merge(kept, on=["kind", "plant", "attempt"])
    return means(own, "average_precision").assign(plants="without damage") if len(own) else pd.DataFrame()
