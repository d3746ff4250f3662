"""Shared by figures of planted truth: labels, and values by the units that a place is made of."""

import pandas as pd

from memloc.settings.planted_truth import GRANULARITIES
from memloc.statistics import uncertainty

KIND_LABELS = {
    "grown_heads": "grown: three heads",
    "grown_neurons": "grown: neurons of a layer",
    "grown_weights": "grown: 6 % of weights",
    "head_vo": "a head (V, O)",
    "head_all": "a head (all)",
    "two_heads": "two heads",
    "neurons": "neurons of a layer",
    "inj_1": "1 % of value vectors",
    "inj_0.1": "0.1 % of value vectors",
    "scattered_1": "1 % of weights",
    "scattered_0.1": "0.1 % of weights",
}
CONTROL_LABELS = {"plant": "the plant", "wrong": "a wrong paragraph", "twin": "the unplanted twin"}


def of_own_units(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows by the units that each kind of place is made of."""
    own = rows["kind"].map({kind: units[0] for kind, units in GRANULARITIES.items()})
    return rows[rows["granularity"] == own]


def means(rows: pd.DataFrame, value: str) -> pd.DataFrame:
    """Mean of a value over plants with its interval (value, low, high, n), by kind, control and method."""
    return uncertainty.means(rows.groupby(["kind", "control", "method"])[value]).reset_index()
