"""Is an unlearned paragraph gone? How many perturbed prefixes still recite it, and how many steps relearn it
(extended)."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from memloc.figures.parts.edit_summary import ARM_COLOURS, ARM_LABELS
from memloc.figures.parts.style import Drawing, panel_labels, subplots
from memloc.settings.base import Section

COLUMNS = ["id", "arm", "learning_rate", "em_memorized", "recited_before", "recited", "relearning_steps"]


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Left: share of perturbed prefixes; right: steps of relearning; each arm at its dose."""
    runs = tables["edits"]
    data = runs.loc[runs["objective"] == "unlearn", COLUMNS]
    limit, n_continuation = settings.editing.relearning_limit, settings.paragraph.continuation
    arms = [arm for arm in ARM_LABELS if arm in set(data["arm"])]
    figure, (left, right) = subplots(2.4, ncols=2)
    forgotten = data[data["em_memorized"] < n_continuation]
    steps = forgotten.assign(steps=forgotten["relearning_steps"].astype(float).fillna(limit + 1))
    _points(left, data, arms, "recited", "mean")
    _points(right, steps, arms, "steps", "median")
    before = float(data.drop_duplicates("id")["recited_before"].mean())
    left.axhline(before, color="0.5", ls=":", lw=0.9)
    where = {"xycoords": ("axes fraction", "data"), "ha": "right", "va": "bottom"}
    left.annotate("before", (1, before), color="0.4", **where)
    left.set_ylabel("share of perturbed prefixes\nthat are still continued verbatim")
    left.set_ylim(-0.03, 1.03)
    right.axhline(limit + 0.5, color="0.8", lw=0.6)
    right.set_ylim(0, limit + 1.6)
    right.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    right.set_ylabel(f"steps until recited again\n(above the line: more than {limit})")
    for axes in (left, right):
        axes.set_xticks(range(len(arms)), [ARM_LABELS[arm].replace(" ", "\n") for arm in arms])
        axes.set_xlim(-0.6, len(arms) - 0.4)
    panel_labels((left, right))
    return Drawing(figure, data, {"before": before, **_numbers(data, steps, limit)})


def _points(axes: Axes, data: pd.DataFrame, arms: list[str], column: str, middle: str) -> None:
    """Every paragraph faintly, and the middle of each arm: a mean, or a median where values are censored."""
    place, colours = data["arm"].map(arms.index).astype(float), data["arm"].map(ARM_COLOURS).tolist()
    axes.scatter(place, data[column], s=6, c=colours, alpha=0.3, linewidth=0)
    middles = data.groupby("arm")[column].agg(middle)
    colours = [ARM_COLOURS[arm] for arm in middles.index]
    style = {"edgecolor": "white", "linewidth": 0.4}
    axes.scatter([arms.index(arm) for arm in middles.index], middles, s=22, c=colours, **style)


def _numbers(data: pd.DataFrame, forgotten: pd.DataFrame, limit: int) -> dict[str, Any]:
    """Medians are the drawn ones: a paragraph that has not come back counts as one above the limit."""
    rows = [
        {
            "arm": ARM_LABELS[arm],
            "n": len(runs),
            "recited": float(runs["recited"].mean()),
            "n_back": int(runs["relearning_steps"].count()),
            "median_steps": float(runs["steps"].median()),
        }
        for arm, runs in forgotten.groupby("arm")
    ]
    return {"limit": limit, "n_paragraphs": int(data["id"].nunique()), "rows": rows}
