"""Estimators of the topic `attention`: is a head opposed to the others of its layer (paper 6.2)?"""

from dataclasses import replace
from operator import itemgetter

import pandas as pd

from memloc.claims.verdicts import Estimate, NotApplicable, Tables
from memloc.localization.head_profiles import attention_profiles, correlation_with_others
from memloc.localization.highlight import highlighted_head
from memloc.settings.base import Section
from memloc.statistics.studentised import studentised


def attention_opposed(tables: Tables, settings: Section) -> Estimate:
    """Minus the correlation of the highlighted head's attention with the attention of other heads.

    The methods choose the head on the same paragraphs, so its interval comes from intervals that hold for all
    heads together. No paragraphs chose a configured head, so it has an interval of its own.
    """
    attention, sets = tables["attention"], tables["sets"]
    ids = sets.loc[(sets["set"] == "memorized") & sets["sampled"], "id"]
    layers = attention["layer"].unique()
    if attention["head"].nunique() == 1:
        raise NotApplicable("the layers have a single head")
    profiles = (attention_profiles(attention, layer, ids, settings.paragraph.prefix) for layer in layers)
    alike = dict(zip(layers, map(correlation_with_others, profiles), strict=True))
    values = -pd.concat(alike, axis=1, names=["layer", "head"])
    head = highlighted_head(tables, settings)
    if values[head].isna().all():
        raise NotApplicable("no profile varies over the prefix")
    if settings.highlight != "auto":
        return Estimate.of(studentised(values[head]))
    found = Estimate.of_search(values.to_numpy(), itemgetter(values.columns.get_loc(head)))
    if found.low is None:
        return found
    return replace(found, low=max(found.low, -1.0), high=min(found.high, 1.0))  # bounds of a correlation
