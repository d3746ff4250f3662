"""Estimators of topic `paired_perturbation`: what replacing a prefix token costs memorized paragraphs, and
others that occur equally often.
"""

from memloc.claims.estimators.perturbation import risen
from memloc.claims.verdicts import Estimate, NotApplicable, Tables
from memloc.data.sets import NO_PAIRS, paired_differences
from memloc.perturbation.effects import drop_matrix
from memloc.settings.base import Section
from memloc.statistics.studentised import studentised


def others_are_disturbed_more(tables: Tables, settings: Section) -> Estimate:
    """Mean rise in NLL per replaced token: that of the other paragraph minus that of the memorized one."""
    rises = drop_matrix(risen(tables["perturbation"]), "nll_rise").mean(axis=1)
    pairs = paired_differences(rises, tables["sets"])
    if pairs.empty:
        raise NotApplicable(NO_PAIRS)
    return Estimate.of(studentised(-pairs))
