"""Patching of the residual stream, position by position and layer by layer (extends Figure 11).

Pairs have their perturbed token p and their impact token i at different places. Their mean is therefore
aligned twice: the left half of a map follows the positions from p on, the right half those up to i-1, which
predicts the impact token.
"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh

from memloc.figures.parts.heatmap import colour_bar, map_height
from memloc.figures.parts.style import DIRECTION_LABELS, DIVERGING, PAGE_WIDTH, Drawing, panel_label, subplots
from memloc.figures.parts.token_map import label_height, label_tokens
from memloc.settings.base import Section
from memloc.statistics import uncertainty

WINDOW = 5  # positions from the perturbed token on, and up to the predicting one, that the means show
EXAMPLE_DIRECTION = "perturbed_into_memorized"
LABEL = "change in NLL (nats)"


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Mean change in the NLL of the impact token, a map per direction, and the change for one pair."""
    changes = spread_pairs(tables["residual_patching"], tables["perturbed_paragraphs"])
    data = aligned_means(changes)
    example = _example(changes, tables)
    size, labels = map_height(data["layer"].nunique()), label_height(example["text"])
    height = 2 * size + labels
    figure, axes = subplots(PAGE_WIDTH, height, nrows=2, ncols=2, height_ratios=(size, size + labels))
    for panel, (direction, title), letter in zip(axes[0], DIRECTION_LABELS.items(), "ab", strict=True):
        _draw_means(panel, data[data["direction"] == direction])
        panel.set_title(title)
        panel_label(panel, letter)
    axes[0, 1].set_ylabel("")
    grid = axes[1, 0].get_gridspec()
    for panel in axes[1]:
        panel.remove()
    _draw_example(figure.add_subplot(grid[1, :]), example)
    plotted = pd.concat([data, example[["direction", "id", "layer", "position", "text", "nll_change"]]])
    return Drawing(figure, plotted, _numbers(changes, data, example))


def spread_pairs(residual_patching: pd.DataFrame, perturbed_paragraphs: pd.DataFrame) -> pd.DataFrame:
    """Changes with the places p and i of their pair, for pairs whose perturbed token is before i-1. In other
    pairs both positions are one, whose change is the full one in every layer; they are taken only if there
    are no others.
    """
    places = perturbed_paragraphs.set_index("id")[["position", "impact_position"]]
    changes = residual_patching.join(places.set_axis(["p", "i"], axis=1), on="id")
    spread = changes["p"] < changes["i"] - 1
    return changes[spread] if spread.any() else changes


def aligned_means(changes: pd.DataFrame) -> pd.DataFrame:
    """Mean over pairs by direction, layer, anchor (p or i) and offset from it: mean, its interval, pairs.

    The predicting position i-1 counts from i only and p from p only; positions between count from both.
    """
    from_p = changes.assign(anchor="p", offset=changes["position"] - changes["p"])
    from_i = changes.assign(anchor="i", offset=changes["position"] - changes["i"])
    from_p = from_p[
        (from_p["offset"] < WINDOW) & ((from_p["position"] < from_p["i"] - 1) | (from_p["offset"] == 0))
    ]
    from_i = from_i[(from_i["offset"] >= -WINDOW) & (from_i["position"] > from_i["p"])]
    groups = pd.concat([from_p, from_i]).groupby(["direction", "layer", "anchor", "offset"])["nll_change"]
    return uncertainty.means(groups).rename(columns={"value": "mean", "n": "n_pairs"}).reset_index()


def _position_map(axes: Axes, values: pd.DataFrame) -> QuadMesh:
    """Layers (upwards) x columns 0, 1, ...; empty columns stay white."""
    limit = float(np.nanmax(np.abs(values.to_numpy())))
    mesh = axes.pcolormesh(
        np.arange(values.shape[1] + 1) - 0.5,
        np.append(values.index, values.index[-1] + 1) - 0.5,
        np.ma.masked_invalid(values.to_numpy()),
        cmap=colormaps[DIVERGING],
        vmin=-limit,
        vmax=limit,
    )
    axes.set_yticks(values.index[:: -(-len(values) // 13)])
    axes.set_ylabel("layer")
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return mesh


def _draw_means(axes: Axes, means: pd.DataFrame) -> None:
    columns = (
        [("p", offset) for offset in range(WINDOW)] + [("", 0)] + [("i", -n) for n in range(WINDOW, 0, -1)]
    )
    values = means.pivot(index="layer", columns=["anchor", "offset"], values="mean").reindex(columns=columns)
    colour_bar(_position_map(axes, values), axes, LABEL)
    names = [anchor + (f"{offset:+d}".replace("-", "\u2212") if offset else "") for anchor, offset in columns]
    axes.set_xticks(range(len(names)), names)
    axes.set_xlabel("token position (p perturbed, i impact)")


def _example(changes: pd.DataFrame, tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The pair with most tokens between its two ends (the smallest id of several), with its tokens' text."""
    chosen = changes.sort_values("id").loc[lambda rows: (rows["i"] - rows["p"]).idxmax(), "id"]
    rows = changes[(changes["id"] == chosen) & (changes["direction"] == EXAMPLE_DIRECTION)]
    tokens = tables["perturbed_paragraphs"].set_index("id")["tokens"].loc[chosen]
    text = tables["vocabulary"].set_index("token")["text"]
    return rows.assign(text=[text.loc[tokens[position]] for position in rows["position"]])


def _draw_example(axes: Axes, example: pd.DataFrame) -> None:
    values = example.pivot(index="layer", columns="position", values="nll_change")
    texts = example[example["layer"] == 0].sort_values("position")["text"].tolist()
    colour_bar(_position_map(axes, values), axes, LABEL)
    label_tokens(axes, texts, marked=0)
    axes.set_title(f"{DIRECTION_LABELS[EXAMPLE_DIRECTION]}: paragraph {example['id'].iloc[0]}")
    panel_label(axes, "c")


def _numbers(changes: pd.DataFrame, data: pd.DataFrame, example: pd.DataFrame) -> dict[str, Any]:
    n_layers = int(data["layer"].max()) + 1
    numbers: dict[str, Any] = {
        "n_pairs": changes["id"].nunique(),
        "spread": bool((changes["p"] < changes["i"] - 1).all()),
        "shown_layers": sorted({min(1, n_layers - 1), n_layers - 1} - {0}),
        "example": int(example["id"].iloc[0]),
        "directions": {},
    }
    for direction, title in DIRECTION_LABELS.items():
        means = data[data["direction"] == direction].set_index(["anchor", "offset", "layer"])["mean"]
        full = means["p", 0, 0]
        numbers["directions"][direction] = {
            "title": title,
            "full": float(full),
            "perturbed": [float(means["p", 0, layer] / full) for layer in range(n_layers)],
            "predicting": [float(means.get(("i", -1, layer), np.nan) / full) for layer in range(n_layers)],
        }
    return numbers
