"""Estimators of topic `paired_perturbation`: the cost of a replaced prefix token at equal exposure.

Memorized paragraphs are compared with others that occur equally often (pairs).
"""

from memloc.claims.unlike import unlike_pairs
from memloc.claims.verdicts import Tables
from memloc.perturbation.effects import drop_matrix, em_drops
from memloc.settings.base import Section
from memloc.statistics.exact import Evidence, median


def others_are_disturbed_more(tables: Tables, settings: Section) -> Evidence:
    """Mean loss of exact match per replaced token, the other minus the memorized paragraph of each pair."""
    return median(-unlike_pairs(drop_matrix(em_drops(tables["perturbation"])).mean(axis=1), tables))
