"""Estimators of the topic `other_layers`: does the next layer attend to the same tokens (paper 6.2)?"""

import pandas as pd

from memloc.claims.verdicts import Estimate
from memloc.localization.head_profiles import (
    attention_profiles,
    correlation_with_profile,
    neighbour,
    sampled_memorized,
)
from memloc.localization.highlight import highlighted_head
from memloc.settings.base import Section
from memloc.statistics.uncertainty import mean


def distance_of_closest(tables: dict[str, pd.DataFrame], settings: Section) -> Estimate:
    """One minus the correlation of the highlighted head's attention with the closest head of the next layer.

    The closest head is chosen on every other memorized paragraph and judged on the rest.
    """
    attention, n_prefix = tables["attention"], settings.paragraph.prefix
    layer, head = highlighted_head(tables, settings)
    other = neighbour(layer, attention["layer"].nunique())
    if other == layer:
        return Estimate(missing="the model has a single layer")
    ids = sampled_memorized(tables["sets"])
    own, next_layer = (attention_profiles(attention, name, ids, n_prefix) for name in (layer, other))
    alike = correlation_with_profile(next_layer, own.xs(head, level="head"))
    closest = alike.iloc[::2].mean().idxmax()
    return Estimate.of(mean(1 - alike.iloc[1::2][closest]))
