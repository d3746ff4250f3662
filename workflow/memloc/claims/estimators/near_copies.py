"""Estimators of the topic `near_copies`: exact and near-copies of recited paragraphs (2405.15523)."""

from memloc.claims.unlike import larger_of_two
from memloc.claims.verdicts import NotApplicable, Tables
from memloc.settings.base import Section
from memloc.statistics.exact import Evidence


def near_copies_count(tables: Tables, settings: Section) -> Evidence:
    """Of the unlike random pairs of a recited and another paragraph with equally many exact copies, and
    unequally many near-copies, the share in which the recited one has more."""
    if "near_copies" not in tables:
        raise NotApplicable("the training text is not known")
    data = tables["near_copies"].merge(tables["scores"], on="id").set_index("id")
    data = data[data["within_0"] > 0]
    if (data["within_10"] == data["within_0"]).all():
        raise NotApplicable("no paragraph has a near-copy")
    recited = data["em"] == settings.paragraph.continuation
    return larger_of_two(data["within_10"], recited, tables, data["within_0"])
