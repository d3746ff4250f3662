"""Estimators of the topic `detection`: does a prefix show recitation before anything is decoded?

Paragraphs are compared in pairs of equal exposure, by scores of fits to other paragraphs.
"""

import pandas as pd

from memloc.claims.verdicts import NotApplicable, Tables
from memloc.settings.base import Section
from memloc.statistics.exact import Evidence, share


def separation(tables: Tables, settings: Section, features: str) -> Evidence:
    """Share of the pairs that the features of the whole prefix tell."""
    row = _row(tables["detection"], features)
    return share(int(row["n_right"]), int(row["n_pairs"]))


def _row(found: pd.DataFrame, features: str) -> pd.Series:
    rows = found[(found["stratum"] == "all") & (found["features"] == features)]
    if rows.empty:
        raise NotApplicable("fewer than six groups of paragraphs of one kind")
    return rows.loc[rows["n_seen"].idxmax()]
