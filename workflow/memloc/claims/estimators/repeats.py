"""Estimators of the topic `repeats`: memorization against the number of occurrences (2202.07646)."""

import pandas as pd

from memloc.claims.verdicts import Estimate
from memloc.data.exposure import counted, exposure
from memloc.settings.base import Section
from memloc.statistics import uncertainty


def more_often_memorized(tables: dict[str, pd.DataFrame], settings: Section, fewest: int) -> Estimate:
    """Share of memorized paragraphs above the median number of repeats minus the share at or below it.

    Only paragraphs with at least `fewest` repeats are compared.
    """
    data = counted(tables).merge(tables["sets"], on="id")
    data = data.assign(repeats=exposure(data))
    data = data[data["repeats"] >= fewest]
    above = data["repeats"] > data["repeats"].median()
    if not above.any():
        return Estimate(missing="no paragraph occurs more often than the median")
    memorized = data["set"] == "memorized"
    often, seldom = (
        uncertainty.proportion(int(memorized[rows].sum()), int(rows.sum())) for rows in (above, ~above)
    )
    return Estimate.of(uncertainty.proportion_difference(often, seldom))
