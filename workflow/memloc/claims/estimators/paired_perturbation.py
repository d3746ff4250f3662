"""Estimators of topic `paired_perturbation`: the cost of a replaced prefix token at equal exposure.

Memorized paragraphs are compared with others that occur equally often (pairs).
"""

from memloc.claims.estimators.perturbation import risen
from memloc.claims.verdicts import Estimate, NotApplicable, Tables
from memloc.data.sets import NO_PAIRS, paired_differences
from memloc.perturbation.effects import drop_matrix
from memloc.settings.base import Section
from memloc.statistics.studentised import studentised


def others_are_disturbed_more(tables: Tables, settings: Section) -> Estimate:
    """Mean rise in NLL per replaced token, the other minus the memorized paragraph of each pair."""
    rises = drop_matrix(risen(tables["perturbation"]), "nll_rise").mean(axis=1)
    pairs = paired_differences(rises, tables["sets"])
    if pairs.empty:
        raise NotApplicable(NO_PAIRS)
    return Estimate.of(studentised(-pairs))
