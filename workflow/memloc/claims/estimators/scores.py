"""Estimators of the topic `scores`: how many paragraphs are recited (paper 3.2)?"""

from memloc.claims.verdicts import Tables
from memloc.settings.base import Section
from memloc.statistics.exact import Evidence, share


def complete_or_not(tables: Tables, settings: Section) -> Evidence:
    """Share of memorized ones among the paragraphs of which three fifths or more match."""
    sets = tables["sets"]["set"]
    n_memorized, n_most = int((sets == "memorized").sum()), int((sets == "partly_30_49").sum())
    return share(n_memorized, n_memorized + n_most)
