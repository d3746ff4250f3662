"""Estimators of the topic `detection`: does a prefix show recitation before anything is decoded?"""

from dataclasses import replace

import pandas as pd

from memloc.claims.verdicts import Estimate, NotApplicable, Tables
from memloc.settings.base import Section

FEWEST_GROUPS = 50  # simulated intervals hold an AUROC of 0.8 in 89 % of cases with 25, in 81 % with 12


def separation(tables: Tables, settings: Section, stratum: str, features: str, fails: float) -> Estimate:
    """AUROC of the features, taken from the whole prefix.

    It is in doubt where exposure alone may reach as much, unless the interval lies below `fails`.
    """
    found = _estimate(tables["detection"], stratum, features, "auroc")
    exposure = _estimate(tables["detection"], stratum, "exposure", "auroc").value
    if found.doubt or found.low is None or exposure < found.low or found.high < fails:
        return found
    return replace(found, doubt=f"exposure alone reaches {exposure:.2f}, which is not below the interval")


def gain_over_nll(tables: Tables, settings: Section, stratum: str, features: str) -> Estimate:
    """AUROC of the features minus that of the prefix NLL, paired, by the whole prefix. A loss is in doubt."""
    found = _estimate(tables["detection"], stratum, features, "gain")
    loss = found.high is not None and found.high < 0
    return replace(found, doubt="a loss is the cost of a fit to few paragraphs") if loss else found


def _estimate(found: pd.DataFrame, stratum: str, features: str, measure: str) -> Estimate:
    rows = found[(found["stratum"] == stratum) & (found["features"] == features)]
    if rows.empty:
        raise NotApplicable("fewer than six groups of paragraphs of one kind")
    row = rows.loc[rows["n_seen"].idxmax()]
    low, high = (
        None if pd.isna(row[f"{measure}_{end}"]) else float(row[f"{measure}_{end}"])
        for end in ("low", "high")
    )
    n = int(row["n_clusters"])
    few = n < FEWEST_GROUPS
    doubt = f"fewer than {FEWEST_GROUPS} groups: intervals of an AUROC are too narrow" if few else None
    return Estimate(float(row[measure]), low, high, n, doubt=doubt)
