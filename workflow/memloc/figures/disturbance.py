"""What a disturbance does to three kinds of text, a panel each: memorized, non-memorized, held-out."""

from collections.abc import Callable

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from memloc.figures.style import PAGE_WIDTH, panel_label, subplots

PANELS = {
    "em_memorized": "EM of memorized\nparagraphs (tokens)",
    "em_non_memorized": "EM of non-memorized\nparagraphs (tokens)",
    "nll_held_out": "NLL of held-out\nparagraphs (nats per token)",
}


def three_panels(
    data: pd.DataFrame,
    draw_lines: Callable[[Axes, pd.DataFrame, str], None],
    x_label: str,
    height: float,
    legend_columns: int,
) -> Figure:
    """`draw_lines(axes, data, column)` draws a panel's column of `data`; height in inches."""
    figure, axes = subplots(PAGE_WIDTH, height, ncols=3)
    for panel, (column, label), letter in zip(axes, PANELS.items(), "abc", strict=True):
        draw_lines(panel, data, column)
        panel.set_xlabel(x_label)
        panel.set_ylabel(label)
        panel_label(panel, letter)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=legend_columns)
    return figure
