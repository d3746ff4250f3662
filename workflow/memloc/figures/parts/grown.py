"""Shared by figures of grown memories: labels, and values by the units that a place is made of."""

import pandas as pd

from memloc.settings.model import GROWN_GRANULARITIES
from memloc.statistics import uncertainty

KIND_LABELS = {
    "grown_heads": "grown: three heads",
    "grown_neurons": "grown: neurons of a layer",
    "grown_weights": "grown: 5 % of weights",
    "grown_two_layers": "grown: heads of two layers",
    "grown_everywhere": "grown: everywhere",
}
ASKED_LABELS = {
    "own": "its own model",
    "twin": "its twin",
    "never": "the twin that never saw it",
}


def of_own_units(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows by the units that each kind of place is made of."""
    own = rows["kind"].map({kind: units[0] for kind, units in GROWN_GRANULARITIES.items()})
    return rows[rows["granularity"] == own]


def means(rows: pd.DataFrame, value: str) -> pd.DataFrame:
    """Mean of a value over paragraphs with its interval (value, low, high, n), by kind, model and method.

    A paragraph that grew in the model and, elsewhere, in its swap twin counts once, with the mean of both.
    """
    groups = ["kind", "asked_model", "method"]
    own = rows.groupby([*groups, "id"], as_index=False)[value].mean()
    found = uncertainty.means(own.groupby(groups)[value]).reset_index()
    return found.assign(low=found["low"].clip(lower=0), high=found["high"].clip(upper=1))
