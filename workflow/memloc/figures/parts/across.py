"""What figures across models share: a look for each model, and profiles of heads over relative depth.

Tables have a column `model`; table `models` has one row per model, by size: model, n_parameters, n_layers, ..
"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps

from memloc.figures.parts.style import MARKERS, SEQUENTIAL

DASHES = ("-", "--", "-.", ":")
LIGHTEST = 0.8  # of the colour map: lighter lines are faint on white


def looks(models: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Colour, marker and dashes of every model: darker is smaller, and none of the three is needed alone."""
    places = np.linspace(0, LIGHTEST, len(models))
    return {
        model: {
            "color": colormaps[SEQUENTIAL](place),
            "marker": MARKERS[number % len(MARKERS)],
            "ls": DASHES[number % len(DASHES)],
            "ms": 3,
            "label": model,
        }
        for number, (model, place) in enumerate(zip(models["model"], places, strict=True))
    }


def head_strength(ranking: pd.DataFrame) -> pd.DataFrame:
    """Rows of table head_ranking with `strength`: share of the model's other heads that rank lower, 0 to 1.

    Ranks, since scores of different models have no common scale.
    """
    n_heads = ranking.groupby(["model", "method"])["rank"].transform("size")
    return ranking.assign(strength=(n_heads - ranking["rank"]) / (n_heads - 1).clip(lower=1))


def layer_profiles(ranking: pd.DataFrame) -> pd.DataFrame:
    """Mean strength of the heads of each layer, and where the layer lies.

    Returns:
        One row per model, method and layer: model, method, layer, depth (its middle; 0 is the input and 1
        the output of the model), strength (one half where a method prefers no layer).
    """
    strength = head_strength(ranking).groupby(["model", "method", "layer"], sort=False)["strength"].mean()
    profiles = strength.reset_index()
    n_layers = profiles.groupby("model")["layer"].transform("max") + 1
    profiles.insert(3, "depth", (profiles["layer"] + 0.5) / n_layers)
    return profiles
