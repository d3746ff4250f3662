"""Figure 4: gradients of the weights, of memorized and other paragraphs and contrastive ones (paper 5)."""

import pandas as pd

from memloc.figures.parts.gradient_summary import lower_share, place, scores_of_heads, strongest_component
from memloc.figures.parts.heatmap import MapPanel, layer_matrix, maps_with_bars
from memloc.figures.parts.style import COLOURS, LABELS, Drawing, Numbers
from memloc.localization.highlight import highlighted_head
from memloc.settings.base import Section

GROUPS = ("memorized", "non_memorized", "contrastive")


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """A map of max |gradient| per group, each with its own colours, and its sum over every layer. The
    contrastive objective is shown after one step: before, its gradient is the memorized one, scaled."""
    gradients = tables["parameter_gradients"]
    data = gradients[gradients["group"].isin(GROUPS)]
    head = highlighted_head(tables, settings)
    maps = {group: layer_matrix(data[data["group"] == group], "max_abs") for group in GROUPS}
    panels = [
        MapPanel(matrix, matrix.sum(axis=1).to_frame(), [COLOURS[group]], LABELS[group], COLOURS[group])
        for group, matrix in maps.items()
    ]
    figure = maps_with_bars(panels, head, ("max |gradient|", "layer sum"))
    return Drawing(figure, data, _numbers(data, tables["sets"], *head))


def _numbers(data: pd.DataFrame, sets: pd.DataFrame, layer: int, head: int) -> Numbers:
    rows = {group: data[data["group"] == group] for group in GROUPS}
    heads = {group: scores_of_heads(own, "max_abs") for group, own in rows.items()}
    n_layers = data["layer"].nunique()
    sampled = sets.loc[sets["sampled"], "set"].value_counts()
    return {
        "groups": {
            group: {
                "strongest": strongest_component(own),
                "place": place(heads[group], (layer, head)),
                "lower": lower_share(own, "max_abs"),
            }
            for group, own in rows.items()
        },
        "alike": heads["memorized"].corr(heads["contrastive"]),
        "even": n_layers // 2 / n_layers,
        "layer": layer,
        "head": head,
        "n_heads": heads["memorized"].size,
        "n_memorized": int(sampled["memorized"]),
        "n_non_memorized": int(sampled["non_memorized"]),
        "ratio": float(rows["non_memorized"]["sum_abs"].sum() / rows["memorized"]["sum_abs"].sum()),
    }
