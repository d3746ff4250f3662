"""How many weights a plant needs of those that it may use, and what becomes of other text (extended)."""

import pandas as pd
from matplotlib import colormaps

from memloc.figures.parts.planted import KIND_LABELS, MOST_DAMAGE, damage, kinds_of, numbers_of
from memloc.figures.parts.style import PAGE_WIDTH, Drawing, panel_label, plain_log_ticks, subplots
from memloc.settings.base import Section


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """(a) needed against allowed weights, (b) size of the place's weights against the damage to other
    text."""
    plants = tables["plants"]
    columns = ["kind", "plant", "attempt", "reached", "n_allowed", "n_needed", "norm_before", "norm"]
    data = plants[[*columns, "em_memorized_before", "em_memorized"]].assign(damage=damage(plants))
    figure, (left, right) = subplots(PAGE_WIDTH * 0.8, 2.6, ncols=2)
    shown = data[data["reached"]].astype({"n_needed": "float64"})
    for number, kind in enumerate(kinds_of(shown)):
        rows = shown[shown["kind"] == kind]
        style = {"s": 12, "color": colormaps["Dark2"](number % 8), "label": KIND_LABELS[kind]}
        left.scatter(rows["n_allowed"], rows["n_needed"], **style)
        right.scatter(100 * rows["damage"], rows["norm"] / rows["norm_before"], **style)
    allowed = (shown if len(shown) else data)["n_allowed"]
    sizes = [allowed.min() / 20, allowed.max() * 1.5]
    left.plot(sizes, sizes, color="0.7", lw=0.6, zorder=0)
    left.set(xscale="log", yscale="log", xlabel="weights allowed", ylabel="weights needed (at most)")
    for axis in (left.xaxis, left.yaxis):
        plain_log_ticks(axis)
    right.set(xlabel="rise of the NLL of held-out text (%)", ylabel="growth of the place's weights")
    right.axvline(100 * MOST_DAMAGE, color="0.7", lw=0.6, ls=":")
    for panel, letter in ((left, "a"), (right, "b")):
        panel_label(panel, letter)
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return Drawing(figure, data, {"kinds": numbers_of(plants)})
