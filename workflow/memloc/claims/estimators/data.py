"""Estimators of the topic `data`: which paragraphs there are (paper 3.1, A.1)."""

import pandas as pd

from memloc.claims.verdicts import Estimate
from memloc.settings.base import Section


def n_paragraphs(tables: dict[str, pd.DataFrame], settings: Section) -> Estimate:
    """Paragraphs that the authors' filter code keeps."""
    kept = _kept(tables)
    return Estimate(len(kept), n=len(kept))


def largest_count(tables: dict[str, pd.DataFrame], settings: Section) -> Estimate:
    """Occurrences of the most frequent paragraph that the authors' filter code keeps."""
    kept = _kept(tables)
    return Estimate(int(kept["count"].max()), n=len(kept)) if len(kept) else Estimate()


def _kept(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    paragraphs = tables["paragraphs"]
    return paragraphs[~paragraphs["id"].isin(tables["dropped_reference"]["id"])]
