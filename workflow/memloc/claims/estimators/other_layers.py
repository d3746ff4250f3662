"""Estimators of the topic `other_layers`: does the next layer attend to the same tokens (paper 6.2)?"""

import pandas as pd

from memloc.claims.verdicts import Estimate
from memloc.localization.head_profiles import (
    attention_profiles,
    correlation_with_profile,
    neighbour,
    sampled_memorized,
)
from memloc.localization.highlight import highlighted_head, mean_of_head
from memloc.settings.base import Section


def distance_of_closest(tables: dict[str, pd.DataFrame], settings: Section) -> Estimate:
    """One minus the correlation of the highlighted head's attention with the closest head of the next layer.

    The closest head is chosen on every other memorized paragraph and judged on the rest, which may have
    chosen the highlighted one: see `mean_of_head`.
    """
    attention, ids = tables["attention"], sampled_memorized(tables["sets"])
    n_layers = attention["layer"].nunique()
    if n_layers == 1:
        return Estimate(missing="the model has a single layer")
    layers = [
        attention_profiles(attention, layer, ids, settings.paragraph.prefix) for layer in range(n_layers)
    ]
    distances = {
        layer: _distances(own, layers[neighbour(layer, n_layers)]) for layer, own in enumerate(layers)
    }
    head = highlighted_head(tables, settings)
    return Estimate.of(mean_of_head(pd.concat(distances, axis=1), head, settings))


def _distances(own: pd.DataFrame, next_layer: pd.DataFrame) -> pd.DataFrame:
    """One minus the correlation of every head with the one closest to it: judging paragraphs x heads."""
    found = {}
    for head in own.index.unique("head"):
        alike = correlation_with_profile(next_layer, own.xs(head, level="head"))
        # A constant profile has no correlation with any other.
        closest = alike.iloc[::2].mean().fillna(-1).idxmax()
        found[head] = 1 - alike.iloc[1::2][closest]
    return pd.DataFrame(found)
