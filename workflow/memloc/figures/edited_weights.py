"""How many weights an edit really changes: ours against the authors' code (extends Figure 5)."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import EngFormatter, NullFormatter

from memloc.figures.parts.edit_summary import ARM_COLOURS, ARM_LABELS, arms_of
from memloc.figures.parts.style import PAGE_WIDTH, Drawing, panel_label, subplots
from memloc.settings.base import Section

PANELS = {
    "n_changed_weights": "weights changed",
    "em_memorized": "EM of the paragraph (tokens)",
    "em_control": "EM of its controls (tokens)",
}
KINDS = {False: "only the chosen weights", True: "the authors' code"}


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Unlearning at the first learning rate: bars per arm, filled for ours, hatched for the authors' code."""
    edits = tables["edits"]
    rate = settings.editing.learning_rates[0]
    rows = edits[(edits["objective"] == "unlearn") & (edits["learning_rate"] == rate)]
    both = rows.groupby("id")["reference"].transform("nunique") == rows["reference"].nunique()
    rows = rows[both]
    means = rows.groupby(["arm", "reference"])[[*PANELS, "n_movable_weights"]].mean().reset_index()
    arms = arms_of(means)
    figure, axes = subplots(PAGE_WIDTH, 0.6 + 0.32 * len(arms), ncols=3, sharey=True)
    for panel, (column, label), letter in zip(axes, PANELS.items(), "abc", strict=True):
        _bars(panel, means, arms, column)
        panel.set_xlabel(label)
        panel_label(panel, letter)
    axes[0].set_xscale("log")
    axes[0].xaxis.set_major_formatter(EngFormatter(sep=""))
    axes[0].xaxis.set_minor_formatter(NullFormatter())
    axes[0].set_yticks(range(len(arms)), [ARM_LABELS[arm] for arm in arms])
    axes[0].invert_yaxis()
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return Drawing(figure, means, _numbers(means, rows, rate))


def _bars(axes: Axes, means: pd.DataFrame, arms: list[str], column: str) -> None:
    kinds = sorted(means["reference"].unique())
    height = 0.8 / len(kinds)
    for place, kind in enumerate(kinds):
        rows = means[means["reference"] == kind].set_index("arm").reindex(arms)
        where = np.arange(len(arms)) + (place - (len(kinds) - 1) / 2) * height
        colours = [ARM_COLOURS[arm] for arm in arms]
        hatch = {"hatch": "////", "alpha": 0.45} if kind else {}
        bars = axes.barh(where, rows[column], 0.95 * height, color=colours, label=KINDS[kind], **hatch)
        digits = 0 if column.startswith("n_") else 1
        labels = ["" if np.isnan(value) else f"{value:,.{digits}f}" for value in rows[column]]
        axes.bar_label(bars, labels, padding=1, fontsize=5)
    axes.margins(x=0.22)


def _numbers(means: pd.DataFrame, rows: pd.DataFrame, rate: float) -> dict[str, Any]:
    arms = {
        kind: {ARM_LABELS[row["arm"]]: row for row in means[means["reference"] == kind].to_dict("records")}
        for kind in KINDS
    }
    return {
        "n_paragraphs": int(rows["id"].nunique()),
        "rate": rate,
        "ours": arms[False],
        "theirs": arms[True],
    }
