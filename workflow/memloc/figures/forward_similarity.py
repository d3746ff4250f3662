"""Forward activations of memorized paragraphs and their perturbed versions: cosine similarity (extended)."""

import pandas as pd

from memloc.figures.parts.gradient_summary import strongest_component
from memloc.figures.parts.heatmap import colour_bar, heat_map, layer_bars, layer_matrix, map_height
from memloc.figures.parts.style import COLOURS, PAGE_WIDTH, Drawing, panel_label, subplots
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
    height = len(ROLES) * (map_height(every["layer"].nunique()) + 0.2)
    figure, axes = subplots(PAGE_WIDTH, height, nrows=len(ROLES), ncols=2, width_ratios=(8, 2), sharey=True)
    parts, numbers = [], {"layer": layer, "head": head, "n_pairs": every["id"].nunique(), "roles": {}}
    for (left, right), (role, title), letter in zip(axes, ROLES.items(), "ab", strict=True):
        rows = shown[role][shown[role]["role"] == role]
        means = rows.groupby(SITE, observed=True, dropna=False)[[*KINDS]].mean().reset_index()
        matrix = layer_matrix(means, "cosine")
        mesh = heat_map(left, matrix, diverging=True, limit=1, highlight=(layer, head))
        bars = means.groupby("layer")[[*KINDS]].mean().rename(columns=KINDS)
        layer_bars(right, bars, [COLOURS["perturbed"], "0.7"], "mean")
        colour_bar(mesh, right, "cosine similarity")
        left.set_title(title)
        panel_label(left, letter)
        parts.append(means.assign(role=role))
        numbers["roles"][role] = _numbers(means, rows)
    axes[0, 1].legend(loc="lower center", bbox_to_anchor=(0.5, 1))
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
