"""Figure 10: query and key gradients at the perturbed and at the impact position (paper A.2)."""

import pandas as pd

from memloc.figures.parts.gradient_summary import strongest_component
from memloc.figures.parts.heatmap import colour_bar, heat_map, layer_matrix, map_height, name_head
from memloc.figures.parts.style import COLOURS, LABELS, Drawing, panel_labels, subplots
from memloc.localization.highlight import highlighted_head
from memloc.settings.base import Section

GROUPS = ("memorized", "perturbed")
ROLES = {"perturbed": "at replaced token", "impact": "before impact token"}
KEYS = ["group", "role", "layer", "component", "head"]


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Layers x components: mean over paragraphs of max |gradient|; memorized left, perturbed right.

    Both positions share the colours of their group, since memorized gradients are far smaller. Where the
    perturbed token is the one before the impact token, they are one: such pairs are left out, unless there
    are no others.
    """
    every = tables["impact_gradients"]
    places = every.groupby(["id", "role"], observed=True)["position"].first().unstack()
    apart = every[every["id"].isin(places.index[places["perturbed"] < places["impact"]])]
    gradients = every if apart.empty else apart
    data = gradients.groupby(KEYS, observed=True)["max_abs"].mean().reset_index()
    head = highlighted_head(tables, settings)
    height = len(ROLES) * (map_height(data["layer"].nunique()) + 0.1)
    figure, axes = subplots(height, nrows=2, ncols=2, sharey=True)
    for column, group in zip(axes.T, GROUPS, strict=True):
        of_group = data[data["group"] == group]
        for panel, (role, title) in zip(column, ROLES.items(), strict=True):
            matrix = layer_matrix(of_group[of_group["role"] == role], "max_abs")
            mesh = heat_map(panel, matrix, limit=of_group["max_abs"].max(), highlight=head)
            panel.set_title(f"{LABELS[group]}, {title}", color=COLOURS[group])
            colour_bar(mesh, panel, "max |gradient|", fraction=0.1)
    for panel in axes[:, 1]:
        panel.set_ylabel(None)
    panel_labels(axes.flat)
    name_head(figure, head)
    by_role = data.groupby(["group", "role"], observed=True)
    mean, strongest = by_role["max_abs"].mean(), {key: strongest_component(own) for key, own in by_role}
    numbers = {
        "strongest": {group: {role: strongest[group, role] for role in ROLES} for group in GROUPS},
        "ratio": {role: float(mean["perturbed", role] / mean["memorized", role]) for role in ROLES},
        "n_all": every["id"].nunique(),
        "n_pairs": gradients["id"].nunique(),
        "spread": len(apart) > 0,
    }
    return Drawing(figure, data, numbers)
