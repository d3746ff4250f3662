"""Estimators of the topic `recency`: when in the training a paragraph was seen."""

from memloc.claims.verdicts import NotApplicable, Tables
from memloc.data.recency import recency
from memloc.data.sets import NO_PAIRS, exposure, without_controls
from memloc.settings.base import Section
from memloc.statistics.exact import Evidence, pairings


def recited_were_seen_later(tables: Tables, settings: Section) -> Evidence:
    """Share of all pairings of a memorized and another paragraph of equal exposure in which the memorized
    one was last seen later."""
    if "training_stream" not in tables:
        raise NotApplicable("the order of the training text is not known")
    last = recency(tables["occurrences"], tables["training_stream"], settings.model)["last"]
    data = without_controls(tables["sets"]).merge(tables["paragraphs"], on="id")
    data = data.assign(last=data["id"].map(last), exposure=exposure(data)).dropna(subset="last")
    memorized = data["set"] == "memorized"
    found = pairings(
        [
            (group.loc[memorized, "last"], group.loc[~memorized, "last"])
            for _, group in data.groupby("exposure")
        ]
    )
    if not found.n:
        raise NotApplicable(NO_PAIRS)
    return found
