"""Estimators of the topic `near_copies`: exact and near-copies of recited paragraphs (2405.15523)."""

import numpy as np

from memloc.claims.verdicts import NotApplicable, Tables
from memloc.data.alike import draws
from memloc.detection.groups import equal_pairs
from memloc.settings.base import Section
from memloc.statistics.exact import Evidence, mean_share


def near_copies_count(tables: Tables, settings: Section) -> Evidence:
    """Of the unlike random pairs of a recited and another paragraph with equally many exact copies, and
    unequally many near-copies, the share in which the recited one has more.

    Pairs come before copies are left out. Otherwise more copies would go from the larger side.
    """
    if "near_copies" not in tables:
        raise NotApplicable("the training text is not known")
    data = tables["near_copies"].merge(tables["scores"], on="id").merge(tables["paragraphs"], on="id")
    data = data[data["within_0"] > 0]
    if (data["within_10"] == data["within_0"]).all():
        raise NotApplicable("no paragraph has a near-copy")
    recited = (data["em"] == settings.paragraph.continuation).to_numpy()
    within_0, n, each = data["within_0"].to_numpy(), data["within_10"].to_numpy(), np.arange(len(data))

    def unequal(random: np.random.Generator) -> np.ndarray:
        pairs = equal_pairs(within_0, recited, each, random)
        return pairs[np.diff(n[pairs])[:, 0] != 0]

    return mean_share(np.diff(n[pairs])[:, 0] < 0 for pairs in draws(np.stack(data["tokens"]), unequal))
