"""Estimators of the topic `detection`: does a prefix show recitation before anything is decoded?

Paragraphs are compared in pairs of equal exposure, and not by fits, which cannot be worse than chance.
"""

from memloc.claims.verdicts import NotApplicable, Tables
from memloc.settings.base import Section
from memloc.statistics.exact import Evidence, share


def recitation_shows_in_the_prefix(tables: Tables, settings: Section) -> Evidence:
    """Share of the unlike pairs in which the NLL of the whole prefix is lower for the recited paragraph."""
    rows = tables["detection"].query("stratum == 'all' and features == 'nll'")
    if rows.empty:
        raise NotApplicable("fewer than six groups of paragraphs of one kind")
    row = rows.loc[rows["n_seen"].idxmax()]
    return share(row["n_right"], row["n_pairs"])
