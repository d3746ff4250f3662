"""Estimators of the topic `scores`: how many paragraphs are recited (paper 3.2)."""

import pandas as pd

from memloc.claims.verdicts import Estimate


def set_size(tables: dict[str, pd.DataFrame], settings: dict, set: str) -> Estimate:
    """Paragraphs of a set."""
    size = int((tables["sets"]["set"] == set).sum())
    return Estimate(size, n=len(tables["sets"]))
