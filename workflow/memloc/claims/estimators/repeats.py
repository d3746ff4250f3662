"""Estimators of the topic `repeats`: memorization against the number of occurrences (2202.07646)."""

from memloc.claims.verdicts import Estimate, NotApplicable, Tables
from memloc.data.sets import exposure
from memloc.settings.base import Section
from memloc.statistics.studentised import share
from memloc.statistics.uncertainty import proportion_difference


def more_repeats_more_memorized(tables: Tables, settings: Section) -> Estimate:
    """Share of memorized paragraphs above the median number of repeats, minus the share at or below it.

    Only paragraphs that occur whole more than once count.
    """
    data = tables["paragraphs"].merge(tables["sets"], on="id")
    data = data.assign(repeats=exposure(data))
    data = data[data["count"] > 1]
    above = data["repeats"] > data["repeats"].median()
    if not above.any():
        raise NotApplicable("no paragraph occurs more often than the median")
    memorized = data["set"] == "memorized"
    often, seldom = (share(int(memorized[rows].sum()), int(rows.sum())) for rows in (above, ~above))
    return Estimate.of(proportion_difference(often, seldom)._replace(n=often.n), seldom.n)
