"""Forward activations of memorized paragraphs and their perturbed versions: cosine similarity (extended)."""

import pandas as pd

from memloc.figures.parts.gradient_summary import strongest_component
from memloc.figures.parts.heatmap import MapPanel, layer_matrix, maps_with_bars
from memloc.figures.parts.style import COLOURS, Drawing
from memloc.localization.highlight import highlighted_head
from memloc.perturbation.effects import spread_ids
from memloc.settings.base import Section

ROLES = {"perturbed": "perturbed token", "impact": "token before the impact token"}
KINDS = {"cosine": "perturbed version", "cosine_other": "another paragraph"}
SITE = ["layer", "component", "head"]


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Maps of mean cosines, layers x components, at the perturbed and at the predicting position.

    Bars: mean per layer, next to that of different paragraphs. The predicting position is shown for pairs in
    which it is another one than the perturbed, unless there are none.
    """
    every = tables["forward_similarity"]
    spread = every[every["id"].isin(spread_ids(every))]
    shown = {"perturbed": every, "impact": every if spread.empty else spread}
    layer, head = highlighted_head(tables, settings)
    numbers = {"layer": layer, "head": head, "n_pairs": every["id"].nunique(), "roles": {}}
    panels, parts = [], []
    for role, title in ROLES.items():
        rows = shown[role][shown[role]["role"] == role]
        means = rows.groupby(SITE, observed=True, dropna=False)[[*KINDS]].mean().reset_index()
        bars = means.groupby("layer")[[*KINDS]].mean().rename(columns=KINDS)
        panels.append(MapPanel(layer_matrix(means, "cosine"), bars, [COLOURS["perturbed"], "0.7"], title))
        parts.append(means.assign(role=role))
        numbers["roles"][role] = _numbers(means, rows)
    figure = maps_with_bars(panels, (layer, head), ("cosine similarity", "mean"), limit=1)
    return Drawing(figure, pd.concat(parts, ignore_index=True), numbers)


def _numbers(means: pd.DataFrame, rows: pd.DataFrame) -> dict:
    return {
        "n_pairs": rows["id"].nunique(),
        "mean": float(means["cosine"].mean()),
        "mean_other": float(means["cosine_other"].mean()),
        "least": strongest_component(means.assign(distance=-means["cosine"]), "distance"),
        "min": float(means["cosine"].min()),
        "n_undefined": int(means["cosine"].isna().sum()),
    }
