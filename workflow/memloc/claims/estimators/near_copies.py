"""Estimators of the topic `near_copies`: exact and near-copies of recited paragraphs (2405.15523)."""

import pandas as pd

from memloc.claims.verdicts import NotApplicable, Tables
from memloc.settings.base import Section
from memloc.statistics.exact import Evidence, pairings


def near_copies_count(tables: Tables, settings: Section) -> Evidence:
    """Share of all pairings of a recited and another paragraph with equally many exact copies in which the
    recited one has more near-copies."""
    if "near_copies" not in tables:
        raise NotApplicable("the training text is not known")
    data = tables["near_copies"].merge(tables["scores"], on="id")
    data = data[data["within_0"] > 0]
    if (data["within_10"] == data["within_0"]).all():
        raise NotApplicable("no paragraph has a near-copy")
    recited = data["em"] == settings.paragraph.continuation
    strata: list[tuple[pd.Series, pd.Series]] = [
        (own[recited[own.index]], own[~recited[own.index]])
        for _, own in data.groupby("within_0")["within_10"]
    ]
    return pairings(strata)
