"""The first heads of each localization method's ranking ablated together (extended)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from memloc.figures.parts.methods import method_label, methods_of
from memloc.figures.parts.style import Drawing, Numbers, panel_labels, subplots
from memloc.settings.base import Section
from memloc.tables.terms.head_ranking import COMBINED

PANELS = {
    "em_memorized": "EM of memorized\nparagraphs (tokens)",
    "em_non_memorized": "EM of own\ncontinuations (tokens)",
    "nll_held_out": "NLL of held-out\nparagraphs (nats per token)",
}
METHOD_COLOURS = {
    "parameter_gradient": "#0072b2",
    "activation_gradient": "#009e73",
    "rare_tokens": "#d55e00",
    "patching": "#cc79a7",
    "combined": "#000000",
}


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """A line per ranking against the number of heads; grey: mean and range of random orders."""
    table = tables["cumulative_ablation"]
    groups = table.groupby(["method", "draw", "n_heads", "group"], dropna=False, sort=False)
    data = groups[["em", "nll"]].mean().unstack("group")
    data.columns = [f"{measure}_{group}" for measure, group in data.columns]
    data = data.reset_index()
    figure, axes = subplots(2.5, ncols=3)
    for panel, (column, label) in zip(axes, PANELS.items(), strict=True):
        _lines(panel, data, column)
        panel.set(xlabel="heads ablated together\n(not to scale)", ylabel=label)
        if column.startswith("em_"):
            panel.set_ylim(bottom=0)
    panel_labels(axes)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return Drawing(figure, data, _numbers(data) | judges(table))


def judges(table: pd.DataFrame) -> dict[str, int]:
    """For captions: n_<group>, the size of each group; n_used, memorized ones that chose heads or weights."""
    paragraphs = table.drop_duplicates(["group", "id"]).groupby("group")["used"]
    return {**paragraphs.size().add_prefix("n_").to_dict(), "n_used": int(paragraphs.sum()["memorized"])}


def _numbers(data: pd.DataFrame) -> Numbers:
    """Means of all methods together and of random orders, with the range of these, amid the axis of heads."""
    n_heads = np.unique(data.loc[data["n_heads"] > 0, "n_heads"])
    shown = int(n_heads[len(n_heads) // 2])
    rows = data[data["n_heads"] == shown].set_index("method")
    drawn = rows.loc[["random"], [*PANELS]]
    kept = {name: rows.loc[[name], [*PANELS]].mean().to_dict() for name in (COMBINED, "random")}
    ends = {"least": drawn.min().to_dict(), "most": drawn.max().to_dict()}
    return {"shown": shown, "n_random": len(drawn), **ends, **kept}


def _lines(axes: Axes, data: pd.DataFrame, column: str) -> None:
    drawn = data["method"] == "random"
    random = data[drawn].groupby("n_heads")[column]
    axes.fill_between(random.min().index, random.min(), random.max(), color="0.85", lw=0)
    axes.plot(random.mean().index, random.mean(), color="0.5", ls="--", label="random heads")
    for method in dict.fromkeys([*METHOD_COLOURS, *methods_of(data[~drawn])]):
        rows = data[data["method"] == method].sort_values("n_heads")
        if len(rows):
            # The combined ranking often begins with the heads of another one, so its line is wide and below.
            wide = {"ms": 4, "lw": 2.4, "alpha": 0.35, "zorder": 1.5} if method == "combined" else {}
            style = {"color": METHOD_COLOURS.get(method), "marker": "o", "ms": 2.2, "lw": 0.9} | wide
            axes.plot(rows["n_heads"], rows[column], label=method_label(method), **style)
    axes.set_xscale("symlog", base=2, linthresh=1)
    ticks = sorted(data["n_heads"].unique())
    axes.set_xticks(ticks, [str(number) for number in ticks])
    axes.minorticks_off()
