"""Estimators of the topic `repeats`: memorization against the number of occurrences (2202.07646)."""

from memloc.claims.unlike import larger_of_two
from memloc.claims.verdicts import NotApplicable, Tables
from memloc.data.sets import exposure, trained_on
from memloc.settings.base import Section
from memloc.statistics.exact import Evidence


def more_repeats_more_memorized(tables: Tables, settings: Section) -> Evidence:
    """Of the random pairs of a paragraph above the median number of repeats and one at or below it, one of
    them memorized, the share in which it is the one above. Only paragraphs that occur whole more than once
    count.
    """
    data = trained_on(tables["sets"]).merge(tables["paragraphs"], on="id")
    data = data.assign(repeats=exposure(data))
    data = data[data["count"] > 1].set_index("id")
    above = data["repeats"] > data["repeats"].median()
    if not above.any():
        raise NotApplicable("no paragraph occurs more often than the median")
    return larger_of_two(data["set"] == "memorized", above, tables)
