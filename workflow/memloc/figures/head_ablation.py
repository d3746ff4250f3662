"""The loss of memorized paragraphs when a head is ablated, beyond the loss of others (extended)."""

from typing import Any

import pandas as pd

from memloc.figures.parts.disturbance import judges
from memloc.figures.parts.heatmap import colour_bar, heat_map, map_height, mark_signs
from memloc.figures.parts.style import Drawing, panel_labels, subplots
from memloc.localization.highlight import highlighted_head
from memloc.settings.base import Section

MEASURES = {"em_lost": ("EM lost", "tokens"), "nll_gained": ("NLL gained", "nats per token")}


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """A map per measure, layers x heads: memorized minus non-memorized.

    Triangles mark heads whose interval, which allows for the search over all heads, excludes 0; they point up
    where memorized paragraphs lose more.
    """
    effects = tables["head_effects"]
    highlight = highlighted_head(tables, settings)
    figure, axes = subplots(map_height(effects["layer"].nunique()) + 0.2, ncols=2)
    for panel, (measure, (title, unit)) in zip(axes, MEASURES.items(), strict=True):
        rows = effects[effects["measure"] == measure].set_index(["layer", "head"])
        values, low, high = (rows[name].unstack("head").sort_index() for name in ("specific", "low", "high"))
        mesh = heat_map(panel, pd.concat({"head": values}, axis=1), diverging=True, highlight=highlight)
        mark_signs(panel, low, high)
        colour_bar(mesh, panel, unit, fraction=0.12)
        panel.set_title(title)
    panel_labels(axes)
    return Drawing(figure, effects, _numbers(effects, *highlight) | judges(tables["head_ablation"]))


def _numbers(effects: pd.DataFrame, layer: int, head: int) -> dict[str, Any]:
    maps = []
    for measure, rows in effects.groupby("measure"):
        first = rows.sort_values("rank").iloc[0].to_dict()
        own = rows[(rows["layer"] == layer) & (rows["head"] == head)].iloc[0].to_dict()
        maps.append(
            {
                "measure": MEASURES[measure][0],
                "unit": MEASURES[measure][1],
                "first": first,
                "own": own,
                "n_specific": int((rows["low"] > 0).sum()),
                "n_opposite": int((rows["high"] < 0).sum()),
            }
        )
    return {"layer": layer, "head": head, "n_heads": len(effects) // len(MEASURES), "maps": maps}
