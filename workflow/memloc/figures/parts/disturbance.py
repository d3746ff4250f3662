"""Effect of a disturbance on three kinds of text, a panel each: memorized, non-memorized, held-out."""

from collections.abc import Callable

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from memloc.figures.parts.style import panel_labels, subplots

PANELS = {
    "em_memorized": "EM of memorized\nparagraphs (tokens)",
    "em_non_memorized": "EM of own\ncontinuations (tokens)",
    "nll_held_out": "NLL of held-out\nparagraphs (nats per token)",
}


def judges(table: pd.DataFrame) -> dict[str, int]:
    """For captions: n_<group>, the size of each group; n_used, memorized ones that chose heads or weights."""
    paragraphs = table.drop_duplicates(["group", "id"])
    sizes = paragraphs["group"].value_counts()
    used = paragraphs["used"] & (paragraphs["group"] == "memorized")
    return {**{f"n_{group}": int(size) for group, size in sizes.items()}, "n_used": int(used.sum())}


def three_panels(
    data: pd.DataFrame,
    draw_lines: Callable[[Axes, pd.DataFrame, str], None],
    x_label: str,
    height: float,
    legend_columns: int,
) -> Figure:
    """A panel per kind of text, which `draw_lines(axes, data, column)` draws; height in inches."""
    figure, axes = subplots(height, ncols=3)
    for panel, (column, label) in zip(axes, PANELS.items(), strict=True):
        draw_lines(panel, data, column)
        panel.set_xlabel(x_label)
        panel.set_ylabel(label)
        if column.startswith("em_"):
            panel.set_ylim(bottom=0)
    panel_labels(axes)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=legend_columns)
    return figure
