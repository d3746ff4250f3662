"""Patching of the residual stream, position by position and layer by layer (extends Figure 11).

The perturbed token p and the impact token i are at different places in each pair. Their mean is therefore
aligned twice: the left half of a map follows the positions from p on, the right half the positions up to i-1,
which predicts the impact token.
"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from memloc.figures.parts.heatmap import colour_bar, label_layers, map_height
from memloc.figures.parts.style import DIRECTION_LABELS, DIVERGING, Drawing, panel_labels, subplots
from memloc.settings.base import Section
from memloc.statistics import uncertainty

WINDOW = 5  # positions that the means show from the perturbed token on, and up to the predicting one


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Mean change in the NLL of the impact token, a map per direction."""
    changes = spread_pairs(tables["residual_patching"], tables["perturbed_paragraphs"])
    data = aligned_means(changes)
    figure, axes = subplots(map_height(data["layer"].nunique()), ncols=2)
    for panel, (direction, title) in zip(axes, DIRECTION_LABELS.items(), strict=True):
        _draw_means(panel, data[data["direction"] == direction])
        panel.set_title(title)
    axes[1].set_ylabel("")
    panel_labels(axes)
    return Drawing(figure, data, _numbers(changes, data))


def spread_pairs(residual_patching: pd.DataFrame, perturbed_paragraphs: pd.DataFrame) -> pd.DataFrame:
    """Changes with the places p and i of their pair, for pairs whose perturbed token lies before i-1.

    In other pairs p and i-1 are one position, which has the full change in every layer. They are taken only
    if there are no others.
    """
    places = perturbed_paragraphs.set_index("id")[["position", "impact_position"]]
    changes = residual_patching.join(places.set_axis(["p", "i"], axis=1), on="id")
    spread = changes["p"] < changes["i"] - 1
    return changes[spread] if spread.any() else changes


def aligned_means(changes: pd.DataFrame) -> pd.DataFrame:
    """Mean over pairs, with interval and number of pairs, by direction, layer, anchor (p or i) and offset.

    The predicting position i-1 is counted from i only, and p from p only; positions between from both.
    """
    from_p = changes.assign(anchor="p", offset=changes["position"] - changes["p"])
    from_i = changes.assign(anchor="i", offset=changes["position"] - changes["i"])
    from_p = from_p[
        (from_p["offset"] < WINDOW) & ((from_p["position"] < from_p["i"] - 1) | (from_p["offset"] == 0))
    ]
    from_i = from_i[(from_i["offset"] >= -WINDOW) & (from_i["position"] > from_i["p"])]
    groups = pd.concat([from_p, from_i]).groupby(["direction", "layer", "anchor", "offset"])["nll_change"]
    return uncertainty.means(groups).rename(columns={"value": "mean", "n": "n_pairs"}).reset_index()


def _draw_means(axes: Axes, means: pd.DataFrame) -> None:
    """Map of layers (upwards) x offsets from p and, after a white column, from i; empty columns are white."""
    before = [("i", -n) for n in range(WINDOW, 0, -1)]
    columns = [*(("p", offset) for offset in range(WINDOW)), ("", 0), *before]
    values = means.pivot(index="layer", columns=["anchor", "offset"], values="mean").reindex(columns=columns)
    limit = float(np.nanmax(np.abs(values.to_numpy())))
    mesh = axes.pcolormesh(
        np.arange(values.shape[1] + 1) - 0.5,
        np.append(values.index, values.index[-1] + 1) - 0.5,
        np.ma.masked_invalid(values.to_numpy()),
        cmap=DIVERGING,
        vmin=-limit,
        vmax=limit,
    )
    colour_bar(mesh, axes, "change in\nNLL (nats)")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    label_layers(axes, values)
    names = [anchor + (f"{offset:+d}".replace("-", "\u2212") if offset else "") for anchor, offset in columns]
    axes.set_xticks(range(len(names)), names)
    axes.set_xlabel("token position (p perturbed, i impact)")


def _numbers(changes: pd.DataFrame, data: pd.DataFrame) -> dict[str, Any]:
    """Effect at p before the first layer, and what is left at p and has arrived at i-1 before the last."""
    last, directions = int(data["layer"].max()), []
    for direction in DIRECTION_LABELS:
        means = data[data["direction"] == direction].set_index(["anchor", "offset", "layer"])["mean"]
        full = float(means["p", 0, 0])
        left, arrived = means["p", 0, last], means.get(("i", -1, last), np.nan)
        directions.append({"full": full, "left": float(left / full), "arrived": float(arrived / full)})
    return {
        "n_pairs": changes["id"].nunique(),
        "spread": bool((changes["p"] < changes["i"] - 1).all()),
        "last": last,
        "directions": directions,
    }
