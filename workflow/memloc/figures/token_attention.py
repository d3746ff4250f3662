"""Which tokens the highlighted head attends to most, wherever they stand in the prefix (extends Figure 7)."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from memloc.figures.parts.style import COLOURS, PAGE_WIDTH, Drawing, panel_label, plain_log_ticks, subplots
from memloc.figures.parts.token_map import label
from memloc.localization.highlight import highlighted_head
from memloc.settings.base import Section

ROW_HEIGHT = 0.14  # inches
N_NAMED = 5  # tokens that the caption names


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """(a) Attention of the head per occurrence, for its first tokens; (b) how often these tokens occur."""
    layer, head = highlighted_head(tables, settings)
    rows = tables["token_attention"].query("layer == @layer and head == @head").sort_values("place")
    rows = rows.merge(tables["vocabulary"], on="token")
    figure, (left, right) = subplots(
        PAGE_WIDTH * 0.8, ROW_HEIGHT * max(len(rows), 5) + 0.8, ncols=2, width_ratios=(2, 1), sharey=True
    )
    _draw_attention(left, rows, head)
    _draw_counts(right, rows)
    panel_label(left, "a")
    panel_label(right, "b")
    return Drawing(figure, rows, _numbers(rows, layer, head))


def _draw_attention(axes: Axes, rows: pd.DataFrame, head: int) -> None:
    places = np.arange(len(rows))
    axes.barh(places, rows["attention_mean"], 0.7, color=COLOURS["memorized"], label=f"head {head}")
    axes.plot(rows["attention_expected"], places, "|", color="black", ms=6, label="if tokens exchange it")
    axes.set_yticks(places, [label(text) for text in rows["text"]], family="DejaVu Sans Mono")
    axes.set(xlabel="attention, mean per occurrence", ylim=(len(rows) - 0.5, -0.5), xlim=(0, None))
    axes.tick_params(axis="y", length=0, labelsize=5.5)
    axes.legend(loc="lower right")


def _draw_counts(axes: Axes, rows: pd.DataFrame) -> None:
    places = np.arange(len(rows))
    axes.plot(rows["occurrences"], places, "o", color=COLOURS["memorized"], ms=3, label="in the prefixes")
    axes.plot(
        rows["count"], places, "o", color=COLOURS["memorized"], ms=3, mfc="white", label="in all paragraphs"
    )
    axes.set(xscale="log", xlabel="occurrences")
    plain_log_ticks(axes.xaxis)
    axes.tick_params(axis="y", length=0)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0)


def _numbers(rows: pd.DataFrame, layer: int, head: int) -> dict[str, Any]:
    if rows.empty:
        return {"layer": layer, "head": head, "n_tokens": 0}
    return {
        "layer": layer,
        "head": head,
        "n_tokens": len(rows),
        "fewest": int(rows["occurrences"].min()),
        "tokens": [label(text) for text in rows["text"].head(N_NAMED)],
        "first": float(rows["attention_mean"].max()),
        "last": float(rows["attention_mean"].min()),
        "expected": float(rows["attention_expected"].mean()),
        "median_count": float(rows["count"].median()),
    }
