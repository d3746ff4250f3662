"""Estimators of the topic `detection`: what a prefix tells before anything is decoded."""

import pandas as pd

from memloc.claims.verdicts import Estimate
from memloc.settings.base import Section

MISSING = "fewer than six groups of paragraphs of one kind"


def separation(tables: dict[str, pd.DataFrame], settings: Section, stratum: str, features: str) -> Estimate:
    """AUROC of the features at the whole prefix."""
    return _estimate(_row(tables, stratum, features), "auroc")


def gain_over_nll(
    tables: dict[str, pd.DataFrame], settings: Section, stratum: str, features: str
) -> Estimate:
    """AUROC of the features minus that of the prefix NLL, paired, at the whole prefix."""
    return _estimate(_row(tables, stratum, features), "gain")


def lead_of_nll(tables: dict[str, pd.DataFrame], settings: Section, stratum: str, features: str) -> Estimate:
    """AUROC of the prefix NLL minus that of the features, paired, at the whole prefix."""
    found = gain_over_nll(tables, settings, stratum, features)
    if found.missing:
        return found
    low, high = (None if end is None else -end for end in (found.high, found.low))
    return Estimate(-found.value, low, high, found.n)


def _row(tables: dict[str, pd.DataFrame], stratum: str, features: str) -> pd.DataFrame:
    found = tables["detection"]
    rows = found[(found["stratum"] == stratum) & (found["features"] == features)]
    return rows[rows["n_seen"] == rows["n_seen"].max()]


def _estimate(row: pd.DataFrame, measure: str) -> Estimate:
    if row.empty:
        return Estimate(missing=MISSING)
    found = row.iloc[0]
    ends = (
        None if pd.isna(end) else float(end) for end in (found[f"{measure}_low"], found[f"{measure}_high"])
    )
    return Estimate(float(found[measure]), *ends, int(found["n_clusters"]))
