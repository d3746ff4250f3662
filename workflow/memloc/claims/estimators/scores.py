"""Estimators of the topic `scores`: how many paragraphs are recited (paper 3.2)?"""

from memloc.claims.unlike import rate_of_unlike
from memloc.claims.verdicts import Tables
from memloc.settings.base import Section
from memloc.statistics.exact import Evidence


def complete_or_not(tables: Tables, settings: Section) -> Evidence:
    """Share of memorized ones among the paragraphs of which three fifths or more match."""
    sets = tables["sets"].set_index("id")["set"]
    return rate_of_unlike(sets[sets.isin(["memorized", "partly_30_49"])] == "memorized", tables)
