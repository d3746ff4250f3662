"""Estimators of the topic `impact`: gradients at the perturbed and at the impact position (paper A.2)."""

import pandas as pd

from memloc.claims.verdicts import Estimate
from memloc.perturbation.effects import spread_ids
from memloc.settings.base import Section
from memloc.statistics import uncertainty

Tables = dict[str, pd.DataFrame]


def query_growth(tables: Tables, settings: Section, group: str) -> Estimate:
    """How much larger a pair's query gradients are at the impact than at the perturbed position.

    (a - b) / (a + b) of their means over layers and heads: from -1 to 1, a third where a is twice b. Only of
    pairs that are spread (`spread_ids`): in others both positions are one. A pair without any gradient counts
    as 0.
    """
    rows = tables["impact_gradients"]
    rows = rows[rows["id"].isin(spread_ids(rows))]
    rows = rows[(rows["group"] == group) & (rows["component"] == "q")]
    if rows.empty:
        return Estimate(missing="in every pair the perturbed token is the one before the impact token")
    means = rows.groupby(["id", "role"], observed=True)["max_abs"].mean().unstack()
    total = means.sum(axis=1)
    growth = (means["impact"] - means["perturbed"]) / total.where(total > 0, 1)
    return Estimate.of(uncertainty.paired(growth))


def layer_lead(tables: Tables, settings: Section, group: str, layer: int | None = None) -> Estimate:
    """By how much one layer's share of a pair's key and query gradients is above every other layer's.

    A given layer is not searched for; its rival is.
    """
    rows = tables["impact_gradients"]
    rows = rows[rows["group"] == group]
    sums = rows.groupby(["id", "layer"])["max_abs"].sum().unstack()
    if sums.shape[1] < 2:
        return Estimate(missing="the model has one layer")
    totals = sums.sum(axis=1)
    shares = sums.div(totals.where(totals > 0, 1), axis=0)
    return Estimate.of(uncertainty.lead(shares.to_numpy(), shares.columns.to_numpy(), layer))
