"""Figure 5: exact match after unlearning and editing with all, top-gradient and random weights (paper
5.3)."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from memloc.figures.parts.edit_summary import ARM_LABELS, OBJECTIVE_LABELS
from memloc.figures.parts.style import COLOURS, LABELS, PAGE_WIDTH, Drawing, panel_label, subplots
from memloc.removal.runs import own_runs
from memloc.settings.arms import PAPER_ARMS
from memloc.settings.base import Section

SETS = {"memorized": "em_memorized", "non_memorized": "em_control"}
N_BINS = 10


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Rows: objectives; columns: arms; distributions of EM over the edited paragraphs, with means as lines.

    The non-memorized ones are the controls of each edit: their mean EM.
    """
    paragraph, rates = settings.paragraph, settings.editing.learning_rates
    n_continuation = paragraph.continuation
    runs = own_runs(tables["edits"])
    shown = runs[(runs["learning_rate"] == rates[0]) & runs["arm"].isin(PAPER_ARMS)]
    figure, axes = subplots(PAGE_WIDTH, 3.2, nrows=2, ncols=3, sharex=True, sharey="row")
    panels = [(objective, arm) for objective in OBJECTIVE_LABELS for arm in PAPER_ARMS]
    for panel, (objective, arm), letter in zip(axes.flat, panels, "abcdef", strict=True):
        rows = shown[(shown["objective"] == objective) & (shown["arm"] == arm)]
        _distributions(panel, rows, n_continuation)
        panel_label(panel, letter)
        panel.set_title(f"{OBJECTIVE_LABELS[objective]}, {ARM_LABELS[arm]}")
    for panel in axes[:, 0]:
        panel.set_ylabel("paragraphs")
    for panel in axes[1]:
        panel.set_xlabel("exact match (tokens)")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=len(SETS))
    data = shown[["id", "objective", "arm", "learning_rate", *SETS.values(), "em_target"]]
    return Drawing(figure, data, _numbers(runs, tables["edits"], rates, settings, n_continuation))


def _distributions(axes: Axes, rows: pd.DataFrame, n_continuation: int) -> None:
    bins = np.linspace(0, n_continuation, N_BINS + 1)
    for place, (name, column) in enumerate(SETS.items()):
        axes.hist(rows[column], bins, color=COLOURS[name], alpha=0.45, label=LABELS[name])
        mean = rows[column].mean()
        axes.axvline(mean, color=COLOURS[name], ls="--", lw=1.2)
        align = "left" if mean < n_continuation / 2 else "right"
        axes.annotate(
            f" {mean:.1f} ",
            (mean, 0.78 - 0.14 * place),
            xycoords=axes.get_xaxis_transform(),
            color=COLOURS[name],
            ha=align,
            path_effects=[withStroke(linewidth=1.6, foreground="white")],
        )
    axes.yaxis.get_major_locator().set_params(integer=True)


def _numbers(
    runs: pd.DataFrame, edits: pd.DataFrame, rates: list[float], settings: Section, n_continuation: int
) -> dict[str, Any]:
    compared = edits[edits["reference"] & ~edits["reference"].all()]
    by_rate = []
    for rate in rates:
        own = runs[runs["learning_rate"] == rate]
        theirs = compared[compared["learning_rate"] == rate]
        by_rate.append(
            {
                "rate": rate,
                "n": int(own["id"].nunique()),
                "means": _means(own),
                "theirs": _means(theirs) if len(theirs) else {},
            }
        )
    options = settings.editing
    return {
        "n_continuation": n_continuation,
        "own": settings.sets.continuation == "model",
        "n_unlearned": int(runs.loc[runs["objective"] == "unlearn", "id"].nunique()),
        "n_edited": int(runs.loc[runs["objective"] == "edit", "id"].nunique()),
        "n_compared": int(compared["id"].nunique()),
        "reference": bool(runs["reference"].all()),
        **{name: getattr(options, name) for name in ("steps", "n_controls", "fraction")},
        "rates": by_rate,
    }


def _means(runs: pd.DataFrame) -> dict[str, dict[str, float]]:
    means = runs.groupby(["objective", "arm"])[["em_memorized", "em_control", "em_target"]].mean()
    return {f"{objective}_{arm}": row.to_dict() for (objective, arm), row in means.iterrows()}
