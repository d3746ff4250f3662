"""Estimators of topic `paired_gradients`: gradients of memorized and other paragraphs of equal exposure."""

from memloc.claims.unlike import unlike_pairs
from memloc.claims.verdicts import NotApplicable, Tables
from memloc.localization.gradient_sizes import paragraph_sizes
from memloc.settings.base import Section
from memloc.statistics.exact import Evidence, median


def paired_gradients_lean_to_lower_layers(tables: Tables, settings: Section) -> Evidence:
    """Percentage of the scores that lies in lower layers, memorized minus the other paragraph."""
    if tables["paragraph_gradients"]["layer"].nunique() == 1:
        raise NotApplicable("the model has one layer")
    return median(100 * unlike_pairs(paragraph_sizes(tables["paragraph_gradients"])["lower_share"], tables))
