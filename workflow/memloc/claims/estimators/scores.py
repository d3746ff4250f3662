"""Estimators of the topic `scores`: how many paragraphs are recited (paper 3.2)."""

import pandas as pd

from memloc.claims.verdicts import Estimate
from memloc.settings.base import Section
from memloc.statistics.studentised import share


def complete_or_not(tables: dict[str, pd.DataFrame], settings: Section) -> Estimate:
    """Share of the memorized among paragraphs of which three fifths or more match."""
    sets = tables["sets"]["set"]
    n_memorized, n_most = int((sets == "memorized").sum()), int((sets == "partly_30_49").sum())
    if n_memorized + n_most == 0:
        return Estimate(missing="no paragraph matches in three fifths of its continuation")
    return Estimate.of(share(n_memorized, n_memorized + n_most))
