"""How evenly every head spreads its attention in memorized and in other paragraphs (extended)."""

from typing import Any

import numpy as np
import pandas as pd

from memloc.data.sets import attention_samples
from memloc.figures.parts.heatmap import colour_bar, heat_map, map_height, mark_cells
from memloc.figures.parts.style import LABELS, PAGE_WIDTH, Drawing, panel_label, subplots
from memloc.localization.highlight import highlighted_head
from memloc.settings.base import Section
from memloc.statistics.studentised import simultaneous
from memloc.statistics.uncertainty import Interval, table

GROUPS = ("memorized", "non_memorized")


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Layers x heads: (a) mean entropy of either set, (b) the difference, memorized minus non-memorized.

    Triangles mark heads whose interval, which allows for the search over all heads, excludes 0; they point up
    where memorized paragraphs have the more even attention.
    """
    layer, head = highlighted_head(tables, settings)
    samples = attention_samples(tables["sets"])[["id", "set"]]
    entropy = tables["attention_entropy"].merge(samples, on="id")
    data = compare_heads(entropy)
    means = pd.concat({LABELS[group]: data[f"entropy_{group}"].unstack("head") for group in GROUPS}, axis=1)
    difference = pd.concat({"difference": data["difference"].unstack("head")}, axis=1)
    figure, (left, right) = subplots(
        PAGE_WIDTH, map_height(len(means)) + 0.1, ncols=2, width_ratios=(2, 1.15), sharey=True
    )
    mesh = heat_map(left, means, highlight=(layer, head))
    colour_bar(mesh, left, "entropy (nats)", fraction=0.06)
    mesh = heat_map(right, difference, diverging=True, highlight=(layer, head))
    colour_bar(mesh, right, "difference (nats)", fraction=0.1)
    mark_cells(right, data["low"].unstack("head") > 0, "^")
    mark_cells(right, data["high"].unstack("head") < 0, "v")
    right.set_ylabel(None)
    panel_label(left, "a")
    panel_label(right, "b")
    sizes = entropy.groupby("set")["id"].nunique()
    numbers = {f"n_{group}": int(sizes[group]) for group in GROUPS} | _numbers(data, layer, head)
    maximum = float(np.log(settings.paragraph.prefix + 1))
    return Drawing(figure, data.reset_index(), numbers | {"maximum": maximum})


def compare_heads(entropy: pd.DataFrame) -> pd.DataFrame:
    """Mean entropy of both sets, and their difference with its interval, per (layer, head)."""
    wide = entropy.pivot(index=["set", "id"], columns=["layer", "head"], values="entropy").sort_index(axis=1)
    samples = {group: wide.loc[group] for group in GROUPS}
    means = pd.DataFrame({f"entropy_{group}": rows.mean() for group, rows in samples.items()})
    intervals = simultaneous(*(rows.to_numpy() for rows in samples.values()))
    return means.join(table(intervals, wide.columns).rename(columns={"value": "difference"}))


def _numbers(data: pd.DataFrame, layer: int, head: int) -> dict[str, Any]:
    extreme = data["difference"].abs().idxmax()
    value, low, high, n = data.loc[extreme, ["difference", "low", "high", "n"]]
    return {
        "layer": layer,
        "head": head,
        "n_heads": len(data),
        "mean_memorized": float(data["entropy_memorized"].mean()),
        "mean_non_memorized": float(data["entropy_non_memorized"].mean()),
        "highlighted": {group: float(data.loc[(layer, head), f"entropy_{group}"]) for group in GROUPS},
        "n_lower": int((data["high"] < 0).sum()),
        "n_higher": int((data["low"] > 0).sum()),
        "extreme": {
            "layer": int(extreme[0]),
            "head": int(extreme[1]),
            "value": Interval(value, low, high, int(n)),
        },
    }
