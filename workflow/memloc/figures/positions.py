"""Recitation of paragraphs at other positions and after other text (not in the paper)."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from memloc.figures.parts.style import COLOURS, LABELS, PAGE_WIDTH, Drawing, panel_label, subplots
from memloc.settings.base import Section
from memloc.statistics.uncertainty import mean, proportion, table
from memloc.tables.terms.sets import UNSEEN

STANDS = {
    "start": "from position 0,\nnothing before",
    "bare": "no token\nbefore",
    "end_of_text": "after\nend-of-text",
    "text": "after {n}\nof other text",
    "shifted": "position ids\n+ {n}",
}
GROUPS = LABELS | {UNSEEN: "unseen"}
SHIFT = 0.12  # between the groups of a place


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """(a) Share of paragraphs that are recited and (b) mean NLL, by place; 95 % intervals over paragraphs."""
    rows, n_continuation = tables["positions"], settings.paragraph.continuation
    groups = [name for name in GROUPS if (rows["group"] == name).any()]
    data = summary(rows, n_continuation)
    labels = data.drop_duplicates(["context", "n_before"])[["context", "n_before"]].reset_index(drop=True)
    figure, axes = subplots(PAGE_WIDTH, 2.6, ncols=2)
    panels = zip(axes, ("recited", "nll"), ("share recited", "NLL (nats per token)"), "ab", strict=True)
    for panel, measure, label, letter in panels:
        own = data[data["measure"] == measure].merge(labels.assign(place=labels.index))
        for number, name in enumerate(groups):
            _points(panel, own[own["group"] == name], number - (len(groups) - 1) / 2, name)
        panel.set(ylabel=label, xlim=(-0.5, len(labels) - 0.5))
        panel.set_ylim(bottom=min(0, panel.get_ylim()[0]) if measure == "nll" else -0.03)
        panel.set_xticks(labels.index, [_label(*stand) for stand in labels.itertuples(index=False)])
        panel.tick_params(axis="x", labelsize=5, length=0)
        panel_label(panel, letter)
    axes[0].set_ylim(top=1.03)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=len(groups))
    return Drawing(figure, data, _numbers(rows, data, n_continuation))


def summary(rows: pd.DataFrame, n_continuation: int) -> pd.DataFrame:
    """Share recited (over draws: recited in all of them) and mean NLL by group and place, with intervals."""
    keys = ["group", "context", "n_before"]
    paragraphs = rows.assign(recited=rows["em"] == n_continuation).groupby([*keys, "id"], sort=False)
    each = paragraphs.agg({"recited": "all", "nll": "mean"}).reset_index()
    groups = each.groupby(keys, sort=False)
    found = {
        "recited": table(
            [proportion(int(own.sum()), len(own)) for _, own in groups["recited"]], groups.size().index
        ),
        "nll": table([mean(own) for _, own in groups["nll"]], groups.size().index),
    }
    return pd.concat([frame.assign(measure=name) for name, frame in found.items()]).reset_index()


def _points(axes: Axes, data: pd.DataFrame, offset: float, group: str) -> None:
    places = data["place"] + SHIFT * offset
    axes.vlines(places, data["low"], data["high"], color=COLOURS[group], lw=0.9, alpha=0.7)
    axes.plot(places, data["value"], "o", color=COLOURS[group], ms=3.2, mew=0, label=GROUPS[group])


def _label(context: str, n_before: int) -> str:
    return STANDS[context].format(n=n_before if context == "shifted" else f"{n_before} tokens")


def _numbers(rows: pd.DataFrame, data: pd.DataFrame, n_continuation: int) -> dict[str, Any]:
    memorized = data[(data["group"] == "memorized") & (data["measure"] == "recited")]
    return {
        "n": rows.groupby("group")["id"].nunique().to_dict(),
        "draws": int(rows["draw"].max()) + 1,
        "recited": [
            {"where": _label(row.context, row.n_before).replace("\n", " "), "share": row.value}
            for row in memorized.itertuples()
        ],
    }
