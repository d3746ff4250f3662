"""Estimators of the topic `impact`: gradients at the perturbed and at the impact position (paper A.2)."""

import pandas as pd

from memloc.claims.verdicts import Estimate
from memloc.settings.base import Section
from memloc.statistics.studentised import lead


def key_query_layer_leads(tables: dict[str, pd.DataFrame], settings: Section) -> Estimate:
    """By how much one layer's share of a perturbed pair's key and query gradients is above every other's."""
    rows = tables["impact_gradients"]
    rows = rows[rows["group"] == "perturbed"]
    sums = rows.groupby(["id", "layer"])["max_abs"].sum().unstack()
    if sums.shape[1] < 2:
        return Estimate(missing="the model has one layer")
    totals = sums.sum(axis=1)
    return Estimate.of(lead(sums.div(totals.where(totals > 0, 1), axis=0).to_numpy()))
