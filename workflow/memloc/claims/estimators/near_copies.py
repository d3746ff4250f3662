"""Estimators of the topic `near_copies`: exact and near-copies of recited paragraphs (2405.15523)."""

import numpy as np

from memloc.claims.verdicts import NotApplicable, Tables
from memloc.detection.groups import unlike_equal_pairs
from memloc.settings.base import Section
from memloc.statistics.exact import Evidence, one_of_two


def near_copies_count(tables: Tables, settings: Section) -> Evidence:
    """Of the unlike random pairs of a recited and another paragraph with equally many exact copies, and
    unequally many near-copies, the share in which the recited one has more."""
    if "near_copies" not in tables:
        raise NotApplicable("the training text is not known")
    data = tables["near_copies"].merge(tables["scores"], on="id").merge(tables["paragraphs"], on="id")
    data = data[data["within_0"] > 0]
    if (data["within_10"] == data["within_0"]).all():
        raise NotApplicable("no paragraph has a near-copy")
    recited = (data["em"] == settings.paragraph.continuation).to_numpy()
    pairs = unlike_equal_pairs(data["within_0"].to_numpy(), recited, np.stack(data["tokens"]))
    own, others = data["within_10"].to_numpy()[pairs].T
    return one_of_two(own > others, own < others)
