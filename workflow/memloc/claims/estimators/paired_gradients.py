"""Estimators of topic `paired_gradients`: gradients of memorized and other paragraphs of equal exposure."""

from memloc.claims.verdicts import NotApplicable, Tables
from memloc.data.sets import NO_PAIRS, paired_differences
from memloc.localization.gradient_sizes import paragraph_sizes
from memloc.settings.base import Section
from memloc.statistics.exact import Evidence, median


def paired_gradients_lean_to_lower_layers(tables: Tables, settings: Section) -> Evidence:
    """Percentage of the scores that lies in lower layers, memorized minus the other paragraph."""
    if tables["paragraph_gradients"]["layer"].nunique() == 1:
        raise NotApplicable("the model has one layer")
    pairs = paired_differences(paragraph_sizes(tables["paragraph_gradients"]), tables["sets"])
    if pairs.empty:
        raise NotApplicable(NO_PAIRS)
    return median(100 * pairs["lower_share"])
