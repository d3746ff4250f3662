"""Estimators of the topic `attention`: is a head opposed to the others of its layer (paper 6.2)?"""

import pandas as pd

from memloc.claims.named_head import Place, place_of
from memloc.claims.verdicts import NotApplicable, Tables
from memloc.localization.head_profiles import attention_profiles, correlation_with_others
from memloc.localization.highlight import head_of_other_methods
from memloc.settings.base import Section


def attention_opposed(tables: Tables, settings: Section) -> Place:
    """Place of the head that methods without attention point at, by minus the correlation of its attention
    with others of its layer.

    Correlations are means over sampled memorized paragraphs.
    """
    attention, sets = tables["attention"], tables["sets"]
    ids = sets.loc[(sets["set"] == "memorized") & sets["sampled"], "id"]
    layers = attention["layer"].unique()
    if attention["head"].nunique() == 1:
        raise NotApplicable("the layers have a single head")
    profiles = (attention_profiles(attention, layer, ids, settings.paragraph.prefix) for layer in layers)
    alike = dict(zip(layers, map(correlation_with_others, profiles), strict=True))
    opposed = -pd.concat(alike, axis=1, names=["layer", "head"]).mean()
    return place_of(head_of_other_methods(tables, settings, "rare_tokens"), opposed)
