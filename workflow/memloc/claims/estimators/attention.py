"""Estimators of the topic `attention`: is a head opposed to the others of its layer (paper 6.1 and 6.2)?

A head that these numbers choose is chosen on every other paragraph and judged on the rest. The highlighted
head is judged on all: see `mean_of_head`.
"""

import pandas as pd

from memloc.claims.verdicts import Estimate
from memloc.localization.head_profiles import (
    attention_profiles,
    correlation_with_others,
    value_gradient_profiles,
)
from memloc.localization.highlight import highlighted_head, mean_of_head
from memloc.model.head_groups import stored_head
from memloc.settings.base import Section
from memloc.statistics.uncertainty import mean

Tables = dict[str, pd.DataFrame]


def opposed(tables: Tables, settings: Section, profile: str, chosen: str) -> Estimate:
    """How far the correlation of a head's profile with those of the other heads is below zero.

    `profile` is the gradient of the head's values or its attention, in memorized paragraphs.
    """
    likeness = _likeness(tables, settings, profile)
    if likeness.columns.unique("head").size == 1:
        return Estimate(missing="the layers have a single head")
    if likeness.isna().all(axis=None):
        return Estimate(missing="no profile varies over the prefix")
    if chosen == "searched":
        return _searched(likeness)
    layer, head = highlighted_head(tables, settings)
    n_heads = tables["attention"]["head"].nunique()
    own = layer, stored_head(head, likeness[layer].shape[1], n_heads)
    return Estimate.of(mean_of_head(-likeness, own, settings))


def _likeness(tables: Tables, settings: Section, profile: str) -> pd.DataFrame:
    """Mean correlation with the other heads of its layer: memorized paragraphs x (layer, head)."""
    gradients = tables["activation_gradients"]
    values = gradients[(gradients["group"] == "memorized") & (gradients["component"] == "v")]
    ids, n_prefix = pd.Index(values["id"].unique()), settings.paragraph.prefix
    found = {}
    for layer in values["layer"].unique():
        if profile == "gradient":
            profiles = value_gradient_profiles(values, layer, n_prefix)
        else:
            profiles = attention_profiles(tables["attention"], layer, ids, n_prefix)
        found[layer] = correlation_with_others(profiles)
    return pd.concat(found, axis=1, names=["layer", "head"])


def _searched(likeness: pd.DataFrame) -> Estimate:
    if len(likeness) < 2:
        return Estimate(missing="there is one paragraph: none is left to judge a head on")
    # A constant profile has no correlation with any other.
    head = likeness.iloc[::2].mean().idxmin()
    return Estimate.of(mean(-likeness.iloc[1::2][head]))
