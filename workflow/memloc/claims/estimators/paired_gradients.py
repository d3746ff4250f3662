"""Estimators of the topic `paired_gradients`: gradients of memorized and other paragraphs of equal exposure.

Sizes of gradients follow the NLL, so they are compared at an equal NLL.
"""

import pandas as pd

from memloc.claims.verdicts import Estimate, NotApplicable, Tables
from memloc.data.sets import NO_PAIRS, paired_differences
from memloc.localization.gradient_sizes import paragraph_sizes
from memloc.settings.base import Section
from memloc.statistics.studentised import given, studentised

FEWEST_PAIRS = 50  # simulated intervals of an intercept hold it in 90 % of cases with 25, in 91 % with 12


def others_gradients_larger_at_equal_nll(tables: Tables, settings: Section) -> Estimate:
    """Log of the ratio of all |gradients|, the other to the memorized paragraph, at an equal NLL.

    It is the intercept of the regression on the log of the NLLs' ratio, and in doubt for few pairs.
    """
    pairs = _pairs(tables)
    few = len(pairs) < FEWEST_PAIRS
    doubt = f"an interval of fewer than {FEWEST_PAIRS} pairs covers too little" if few else None
    return Estimate.of(given(-pairs["log_size"], -pairs["log_nll"]), doubt=doubt)


def paired_gradients_lean_to_lower_layers(tables: Tables, settings: Section) -> Estimate:
    """Share of the scores that lies in lower layers, memorized minus the other paragraph."""
    if tables["paragraph_gradients"]["layer"].nunique() == 1:
        raise NotApplicable("the model has one layer")
    return Estimate.of(studentised(_pairs(tables)["lower_share"]))


def _pairs(tables: Tables) -> pd.DataFrame:
    pairs = paired_differences(paragraph_sizes(tables["paragraph_gradients"]), tables["sets"])
    if pairs.empty:
        raise NotApplicable(NO_PAIRS)
    return pairs
