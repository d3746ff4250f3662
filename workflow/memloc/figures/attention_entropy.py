"""How evenly every head spreads its attention in memorized and in other paragraphs (extended)."""

from typing import Any

import numpy as np
import pandas as pd

from memloc.data.sets import attention_samples
from memloc.figures.parts.heatmap import colour_bar, heat_map, map_height
from memloc.figures.parts.style import LABELS, PAGE_WIDTH, Drawing, panel_label, subplots
from memloc.localization.highlight import highlighted_head
from memloc.settings.base import Section
from memloc.statistics.uncertainty import Interval, difference, holm, welch_p

LEVEL = 0.05  # of all heads together
GROUPS = ("memorized", "non_memorized")


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Layers x heads: (a) mean entropy of either set, (b) the difference, memorized minus non-memorized.

    A dot: Welch's t test, corrected for the number of heads (Holm), is below `LEVEL`.
    """
    layer, head = highlighted_head(tables, settings)
    samples = attention_samples(tables["sets"])[["id", "set"]]
    data = compare_heads(tables["attention_entropy"].merge(samples, on="id"))
    means = pd.concat({LABELS[group]: data[f"entropy_{group}"].unstack("head") for group in GROUPS}, axis=1)
    difference = pd.concat({"difference": data["difference"].unstack("head")}, axis=1)
    figure, (left, right) = subplots(
        PAGE_WIDTH, map_height(len(means)) + 0.1, ncols=2, width_ratios=(2, 1.15), sharey=True
    )
    mesh = heat_map(left, means, highlight=(layer, head))
    colour_bar(mesh, left, "entropy (nats)", fraction=0.06)
    mesh = heat_map(right, difference, diverging=True, highlight=(layer, head))
    colour_bar(mesh, right, "difference (nats)", fraction=0.1)
    right.set_ylabel(None)
    clear = data.index[data["clear"]].to_frame()
    right.plot(clear["head"] + 0.5, clear["layer"], "o", color="black", ms=1.8, markeredgewidth=0)
    panel_label(left, "a")
    panel_label(right, "b")
    return Drawing(figure, data.reset_index(), _numbers(data, layer, head, settings))


def compare_heads(entropy: pd.DataFrame) -> pd.DataFrame:
    """Mean entropy and size of both sets, and their difference, per (layer, head)."""
    samples = {
        name: {group: rows["entropy"].to_numpy() for group, rows in block.groupby("set")}
        for name, block in entropy.groupby(["layer", "head"])
    }
    rows = []
    for sample in samples.values():
        both = [sample[group] for group in GROUPS]
        means = {f"entropy_{group}": sample[group].mean() for group in GROUPS}
        sizes = {f"n_{group}": len(sample[group]) for group in GROUPS}
        found = difference(*both)
        interval = {"difference": found.value, "low": found.low, "high": found.high}
        rows.append({**means, **sizes, **interval, "p_value": welch_p(*both)})
    data = pd.DataFrame(rows, index=pd.MultiIndex.from_tuples(samples, names=["layer", "head"]))
    return data.assign(clear=holm(data["p_value"]) < LEVEL)


def _numbers(data: pd.DataFrame, layer: int, head: int, settings: Section) -> dict[str, Any]:
    chosen, extreme = data.loc[(layer, head)], data["difference"].abs().idxmax()
    smaller = int(chosen[[f"n_{group}" for group in GROUPS]].min())
    return {
        "layer": layer,
        "head": head,
        "n_heads": len(data),
        "n_memorized": int(chosen["n_memorized"]),
        "n_non_memorized": int(chosen["n_non_memorized"]),
        "maximum": float(np.log(settings.paragraph.prefix + 1)),
        "mean_memorized": float(data["entropy_memorized"].mean()),
        "mean_non_memorized": float(data["entropy_non_memorized"].mean()),
        "highlighted": {group: float(chosen[f"entropy_{group}"]) for group in GROUPS},
        "n_lower": int((data["clear"] & (data["difference"] < 0)).sum()),
        "n_higher": int((data["clear"] & (data["difference"] > 0)).sum()),
        "extreme": {
            "layer": int(extreme[0]),
            "head": int(extreme[1]),
            "value": Interval(*data.loc[extreme, ["difference", "low", "high"]], n=smaller),
        },
        "level": LEVEL,
    }
