"""Memorized paragraphs and others that occur equally often, pair by pair (extended)."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from memloc.data.sets import NO_PAIRS, paired_differences
from memloc.figures.parts.heatmap import colour_bar, heat_map, map_height, mark_signs, name_head
from memloc.figures.parts.style import PAGE_WIDTH, Drawing, Numbers, of_panels, panel_labels, subplots
from memloc.localization.gradient_sizes import paragraph_sizes
from memloc.localization.highlight import highlighted_head
from memloc.settings.base import Section
from memloc.statistics.uncertainty import Interval, mean, simultaneous, table
from memloc.tables.judged_texts import PAIRED

BLOCKS = {"attention": ("attention", "#e69f00", "o"), "mlp": ("MLP", "#56b4e9", "s")}


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """(a) Gradients of weights against the NLL, a point per pair; (b) blocks bypassed, per layer; (c) heads
    ablated. Values: memorized minus the other."""
    sets, head = tables["sets"], highlighted_head(tables, settings)
    n_pairs = int(sets["pair"].nunique())
    if not n_pairs:
        figure, axes = subplots(0.5, PAGE_WIDTH / 2)
        axes.set_axis_off()
        axes.text(0.5, 0.5, NO_PAIRS, ha="center", va="center")
        return Drawing(figure, pd.DataFrame({"panel": [], "value": []}), {"n_pairs": 0})
    sizes = paired_differences(paragraph_sizes(tables["paragraph_gradients"]), sets)
    rows = tables["layer_bypass"][tables["layer_bypass"]["group"] == PAIRED]
    gained = rows.pivot(index="id", columns=["block", "layer"], values="nll_gained")
    bypassed = paired_differences(gained, sets)
    blocks = table(map(mean, bypassed.T.to_numpy()), bypassed.columns)
    rows = tables["head_ablation"][tables["head_ablation"]["group"] == PAIRED]
    ablated = rows.pivot(index="id", columns=["layer", "head"], values="nll_gained")
    ablated = paired_differences(ablated, sets)
    heads = table(simultaneous(ablated.to_numpy()), ablated.columns)
    heights = 2.0, map_height(blocks.index.levels[1].size)
    figure, panels = plt.subplot_mosaic("aab;ccc", figsize=(PAGE_WIDTH, sum(heights)), height_ratios=heights)
    for line in (panels["a"].axhline, panels["a"].axvline):
        line(0, color="0.8", lw=0.6)
    panels["a"].plot(sizes["log_nll"], sizes["log_size"], "o", color="0.35", ms=2.5, mew=0)
    panels["a"].set(xlabel="log ratio of NLLs", ylabel="log ratio of gradients")
    _lines(panels["b"], blocks)
    _map(panels["c"], heads, head)
    panel_labels(panels.values())
    name_head(figure, head)
    needed = [f"{BLOCKS[block][0]} of layer {layer}" for block, layer in blocks.index[blocks["low"] > 0]]
    numbers = {"n_pairs": n_pairs, "needed": needed, **_numbers(sizes, heads, head)}
    pairs = sizes[["log_nll", "log_size"]].rename(columns={"log_size": "value"})
    data = of_panels(a=pairs.reset_index(), b=blocks.reset_index(), c=heads.reset_index())
    return Drawing(figure, data, numbers)


def _lines(axes: Axes, blocks: pd.DataFrame) -> None:
    axes.axhline(0, color="0.8", lw=0.6)
    for shift, (block, (label, colour, marker)) in zip((-0.1, 0.1), BLOCKS.items(), strict=True):
        rows = blocks.loc[block].sort_index()
        axes.vlines(rows.index + shift, rows["low"], rows["high"], color=colour, lw=1)
        axes.plot(rows.index + shift, rows["value"], color=colour, marker=marker, ms=3, lw=0.5, label=label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="layer", ylabel="extra NLL gained\n(nats per token)", title="without the block")
    axes.legend()


def _map(axes: Axes, found: pd.DataFrame, head: tuple[int, int]) -> None:
    values, low, high = (found[name].unstack("head").sort_index() for name in ("value", "low", "high"))
    mesh = heat_map(axes, pd.concat({"head": values}, axis=1), diverging=True, highlight=head)
    mark_signs(axes, low, high)
    colour_bar(mesh, axes, "nats per token", fraction=0.08)
    axes.set_title("extra NLL gained without the head")


def _numbers(sizes: pd.DataFrame, found: pd.DataFrame, head: tuple[int, int]) -> Numbers:
    """Ratio of the gradients; heads with an interval above 0, and below 0; the head of interest."""
    logs = mean(sizes["log_size"])
    ends = (np.exp(end) if np.isfinite(end) else end for end in logs[1:3])
    return {
        "gradients": Interval(np.exp(logs.value), *ends, logs.n),
        "n_heads": len(found),
        "n_above": int((found["low"] > 0).sum()),
        "n_below": int((found["high"] < 0).sum()),
        "own": Interval(*found.loc[head, ["value", "low", "high"]], int(found.loc[head, "n"])),
    }
