"""Estimators of topic `paired_perturbation`: what replacing a prefix token costs memorized paragraphs, and
others that occur equally often.
"""

from memloc.claims.estimators.perturbation import NO_NLL
from memloc.claims.verdicts import Estimate, Tables
from memloc.data.exposure import NO_PAIRS, paired_differences
from memloc.perturbation.effects import drop_matrix, nll_rises
from memloc.settings.base import Section
from memloc.statistics.studentised import studentised


def others_are_disturbed_more(tables: Tables, settings: Section) -> Estimate:
    """Mean rise in NLL per replaced token: that of the other paragraph minus that of the memorized one."""
    rises = nll_rises(tables["perturbation"])
    if rises.empty:
        return NO_NLL
    pairs = paired_differences(drop_matrix(rises, "nll_rise").mean(axis=1), tables["sets"])
    return Estimate(missing=NO_PAIRS) if pairs.empty else Estimate.of(studentised(-pairs))
