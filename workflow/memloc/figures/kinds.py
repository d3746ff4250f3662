"""Kinds of recited paragraphs, and whether what localizes memories differs at equal NLL (2406.17746)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from memloc.data.sets import paired_differences, pairs
from memloc.figures.parts.style import COLOURS, Drawing, panel_labels, subplots
from memloc.settings.base import Section
from memloc.statistics.uncertainty import Interval, mean

LOOKS = {
    "reconstruction": {"color": "black", "marker": "D", "facecolors": "none"},
    "recitation": {"color": "#e79aa5", "marker": "o"},
    "recollection": {"color": COLOURS["memorized"], "marker": "o"},
}
COPIES = {0: "0", 1: "1", 2: "2-5", 6: "6+"}  # bins by their first number
PANELS = {
    "gradient": "sum of the gradients",
    "head": "largest NLL gained without a head",
}


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """(a) Recited paragraphs by kind and exact copies; (b, c) gradients and heads by NLL."""
    data = tables["kinds"].merge(tables["near_copies"][["id", "within_0", "within_10"]], on="id")
    data = data.merge(tables["scores"][["id", "nll"]], on="id").set_index("id").join(measures(tables))
    figure, axes = subplots(2.8, ncols=3)
    _bars(axes[0], data)
    for panel, (name, label) in zip(axes[1:], PANELS.items(), strict=True):
        for kind, look in LOOKS.items():
            rows = data[data["kind"] == kind]
            panel.scatter(rows["nll"], rows[name], s=9, linewidths=0.6, **look)
        panel.set(xlabel="NLL (nats per token)", ylabel=label, xlim=(0, None))
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=len(LOOKS))
    panel_labels(axes)
    n_kinds = data["kind"].value_counts().reindex(LOOKS, fill_value=0)
    unseen = data["kind"][data["within_10"] == 0]
    numbers = {
        "n": len(data),
        "sets": tables["sets"].set_index("id")["set"].loc[data.index].value_counts().to_dict(),
        **{f"n_{name}": int(n) for name, n in n_kinds.items()},
        **{name: difference(data, name, log=name == "gradient") for name in PANELS},
        "n_unseen": len(unseen),
        "unseen": int((unseen == "reconstruction").sum()),
    }
    return Drawing(figure, data.reset_index(), numbers)


def measures(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The measures of `PANELS` by paragraph, as far as it is in their samples."""
    gradients, heads = (tables[name].groupby("id") for name in ("paragraph_gradients", "head_ablation"))
    return pd.DataFrame({"gradient": gradients["sum_abs"].sum(), "head": heads["nll_gained"].max()})


def difference(data: pd.DataFrame, name: str, log: bool = False) -> Interval:
    """Memory minus reconstruction in pairs whose NLLs differ by a factor of 1.5 at most; or their ratio."""
    known = data.dropna(subset=[name])
    memory = (known["kind"] != "reconstruction").rename("set")
    numbers = pairs(memory * 0, memory, len(known), np.random.default_rng(0), known["nll"])
    sets = pd.DataFrame({"id": known.index, "pair": numbers.array})
    sets["set"] = np.where(memory, "memorized", "reconstruction")
    values = np.log(known[name]) if log else known[name]
    found = mean(paired_differences(values, sets))
    return Interval(*np.exp(found[:3]), found.n) if log else found


def _bars(axes: Axes, data: pd.DataFrame) -> None:
    bins = pd.cut(data["within_0"], [*COPIES, np.inf], right=False, labels=[*COPIES.values()])
    below = np.zeros(len(COPIES))
    for kind, look in LOOKS.items():
        height = bins[data["kind"] == kind].value_counts(sort=False)
        axes.bar(height.index, height, bottom=below, label=kind, color=look["color"])
        below += height.to_numpy()
    axes.set(xlabel="exact copies", ylabel="recited paragraphs")
