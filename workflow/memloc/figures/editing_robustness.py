"""Is an unlearned paragraph gone? Perturbed prefixes that recite it, and steps to relearn it (extended)."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from memloc.figures.parts.edit_summary import ARM_COLOURS, ARM_LABELS
from memloc.figures.parts.style import Drawing, Numbers, panel_labels, side_by_side, subplots
from memloc.settings.base import Section

COLUMNS = ["id", "arm", "learning_rate", "em_memorized", "recited_before", "recited", "relearning_steps"]
WHERE = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}  # of words above a line


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Left: share of perturbed prefixes; right: steps of relearning; each arm at its dose."""
    runs = tables["edits"]
    data = runs.loc[runs["objective"] == "unlearn", COLUMNS]
    limit, n_continuation = settings.editing.relearning_limit, settings.paragraph.continuation
    arms = [arm for arm in ARM_LABELS if arm in set(data["arm"])]
    figure, (left, right) = subplots(2.4, ncols=2)
    forgotten = data[data["em_memorized"] < n_continuation]
    steps = forgotten.assign(steps=forgotten["relearning_steps"].astype(float).fillna(limit + 1))
    _points(left, data, arms, "recited", "mean", 0.03)
    _points(right, steps, arms, "steps", "median", 0.5)
    before = float(data.drop_duplicates("id")["recited_before"].mean())
    left.axhline(before, color="0.5", ls=":", lw=0.9)
    left.annotate("before", (0, before), (3, 2), color="0.4", fontsize=6, **WHERE)
    left.set_ylabel("share of perturbed prefixes\nthat are still continued verbatim")
    left.set_ylim(-0.03, 1.1)
    right.axhline(limit + 0.5, color="0.8", lw=0.6)
    right.annotate(f"more than {limit}", (0, limit + 0.5), (3, 2), color="0.4", fontsize=6, **WHERE)
    right.set_ylim(0, limit + 1.6)
    right.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    right.set_ylabel("steps until recited again")
    for axes in (left, right):
        axes.set_xticks(range(len(arms)), [ARM_LABELS[arm].replace(" ", "\n") for arm in arms])
        axes.set_xlim(-0.6, len(arms) - 0.4)
    panel_labels((left, right))
    return Drawing(figure, data, {"before": before, **_numbers(data, steps, limit)})


def _points(axes: Axes, data: pd.DataFrame, arms: list[str], column: str, middle: str, near: float) -> None:
    """A mark per paragraph, equal ones side by side, and a line for the middle of each arm: a mean, or a
    median where values are censored."""
    for place, arm in enumerate(arms):
        values, colour = data.loc[data["arm"] == arm, column], ARM_COLOURS[arm]
        if values.empty:
            axes.text(place, 1, "all still recited", color=colour, ha="center", fontsize=6)
            continue
        axes.hlines(values.agg(middle), place - 0.4, place + 0.4, color=colour, lw=1.2, alpha=0.5)
        x = place + side_by_side(values, near, 0.08, 0.38)
        axes.scatter(x, values, s=10, color=colour, edgecolor="white", linewidth=0.3, zorder=3, clip_on=False)


def _numbers(data: pd.DataFrame, forgotten: pd.DataFrame, limit: int) -> Numbers:
    rows = [
        {
            "arm": ARM_LABELS[arm],
            "n": len(runs),
            "recited": float(runs["recited"].mean()),
            "n_back": int(runs["relearning_steps"].count()),
        }
        for arm, runs in forgotten.groupby("arm")
    ]
    return {"limit": limit, "n_paragraphs": int(data["id"].nunique()), "rows": rows}
