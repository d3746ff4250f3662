"""Estimators of the topic `attention`: is a head opposed to the others of its layer (paper 6.1 and 6.2)?

A head that these numbers choose is chosen on every other paragraph and judged on the rest.
"""

import pandas as pd

from memloc.claims.verdicts import Estimate
from memloc.localization.head_profiles import (
    attention_profiles,
    correlation_with_others,
    value_gradient_profiles,
)
from memloc.localization.highlight import highlighted_head
from memloc.model.head_groups import stored_head
from memloc.settings.base import Section
from memloc.statistics.uncertainty import mean

Tables = dict[str, pd.DataFrame]


def opposed(tables: Tables, settings: Section, profile: str, chosen: str) -> Estimate:
    """How far the correlation of a head's profile with those of the other heads is below zero.

    `profile` is the gradient of the head's values or its attention, in memorized paragraphs.
    """
    gradients = tables["activation_gradients"]
    values = gradients[(gradients["group"] == "memorized") & (gradients["component"] == "v")]
    if chosen == "searched":
        layers = [_likeness(tables, settings, values, layer, profile) for layer in values["layer"].unique()]
        return _searched([layer for layer in layers if layer.shape[1] > 1])
    layer, head = highlighted_head(tables, settings)
    likeness = _likeness(tables, settings, values, layer, profile)
    if likeness.shape[1] == 1:
        return Estimate(missing="the layer has a single head")
    n_heads = tables["attention"]["head"].nunique()
    return Estimate.of(mean(-likeness.iloc[:, stored_head(head, likeness.shape[1], n_heads)]))


def _likeness(
    tables: Tables, settings: Section, values: pd.DataFrame, layer: int, profile: str
) -> pd.DataFrame:
    """Mean correlation with the other heads of the layer: memorized paragraphs x heads."""
    n_prefix = settings.paragraph.prefix
    if profile == "gradient":
        return correlation_with_others(value_gradient_profiles(values, layer, n_prefix))
    ids = pd.Index(values["id"].unique())
    return correlation_with_others(attention_profiles(tables["attention"], layer, ids, n_prefix))


def _searched(layers: list[pd.DataFrame]) -> Estimate:
    if not layers:
        return Estimate(missing="the layers have a single head")
    likeness = pd.concat(layers, axis=1, ignore_index=True)
    if len(likeness) < 2:
        return Estimate(missing="there is one paragraph: none is left to judge a head on")
    # A constant profile has no correlation with any other.
    head = likeness.iloc[::2].mean().idxmin()
    return Estimate.of(mean(-likeness.iloc[1::2][head]))
