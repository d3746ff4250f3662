"""The loss of memorized paragraphs when a head is ablated, beyond the loss of others (extended)."""

from typing import Any

import pandas as pd

from memloc.figures.parts.disturbance import judges
from memloc.figures.parts.heatmap import colour_bar, heat_map, map_height, mark_signs
from memloc.figures.parts.style import PAGE_WIDTH, Drawing, panel_labels, subplots
from memloc.localization.highlight import highlighted_head
from memloc.settings.base import Section

MEASURES = {"em_lost": ("EM lost", "tokens"), "nll_gained": ("NLL gained", "nats per token")}
REPLACEMENT_LABELS = {"zero": "zeroed", "mean": "replaced by its mean"}


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """A map per measure, layers x heads for each replacement: memorized minus non-memorized.

    Triangles mark heads whose interval, which allows for the search over all heads, excludes 0; they point up
    where memorized paragraphs lose more.
    """
    effects = tables["head_effects"]
    highlight = highlighted_head(tables, settings)
    height = 2 * map_height(effects["layer"].nunique()) + 0.2
    figure, axes = subplots(height, PAGE_WIDTH * 0.9, nrows=2)
    for panel, (measure, (title, unit)) in zip(axes, MEASURES.items(), strict=True):
        rows = effects[effects["measure"] == measure]
        mesh = heat_map(panel, _matrix(rows, "specific"), diverging=True, highlight=highlight)
        mark_signs(panel, _matrix(rows, "low"), _matrix(rows, "high"))
        colour_bar(mesh, panel, unit, fraction=0.12)
        panel.set_title(f"{title}: memorized minus non-memorized")
    panel_labels(axes)
    return Drawing(figure, effects, _numbers(effects, *highlight) | judges(tables["head_ablation"]))


def _matrix(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """Layers x (replacement, head)."""
    names = [name for name in REPLACEMENT_LABELS if name in set(rows["replacement"])]
    matrix = rows.pivot(index="layer", columns=["replacement", "head"], values=column)[names].sort_index()
    return matrix.rename(columns=REPLACEMENT_LABELS, level=0)


def _numbers(effects: pd.DataFrame, layer: int, head: int) -> dict[str, Any]:
    maps = []
    for (measure, replacement), rows in effects.groupby(["measure", "replacement"]):
        first = rows.sort_values("rank").iloc[0].to_dict()
        own = rows[(rows["layer"] == layer) & (rows["head"] == head)].iloc[0].to_dict()
        maps.append(
            {
                "measure": MEASURES[measure][0],
                "unit": MEASURES[measure][1],
                "replacement": REPLACEMENT_LABELS[replacement],
                "first": first,
                "own": own,
                "n_specific": int((rows["low"] > 0).sum()),
                "n_opposite": int((rows["high"] < 0).sum()),
            }
        )
    n_heads = int(effects.groupby(["measure", "replacement"]).size().iloc[0])
    return {"layer": layer, "head": head, "n_heads": n_heads, "maps": maps}
