"""Estimators of the topic `gradients`: where the gradients of the weights are large (paper 5.1, 5.2).

Memorized and non-memorized paragraphs are the paper's samples, which occur unequally often; topic
`paired_gradients` compares paragraphs of equal exposure.
"""

import numpy as np

from memloc.claims.verdicts import NotApplicable, Tables
from memloc.localization.gradient_sizes import paragraph_sizes
from memloc.settings.base import Section
from memloc.statistics.exact import Evidence, at_random, median, share


def non_memorized_gradients_larger(tables: Tables, settings: Section) -> Evidence:
    """Log of the ratio of all |gradients|, a non-memorized to a memorized paragraph."""
    return median(_compared(tables, "log_size", "non_memorized", "memorized"))


def memorized_gradients_lean_to_lower_layers(tables: Tables, settings: Section) -> Evidence:
    """Percentage of the scores that lies in lower layers, a memorized minus a non-memorized paragraph."""
    if tables["paragraph_gradients"]["layer"].nunique() == 1:
        raise NotApplicable("the model has one layer")
    return median(100 * _compared(tables, "lower_share", "memorized", "non_memorized"))


def one_value_matrix_leads(tables: Tables, settings: Section) -> Evidence:
    """Share of the parts of the sample in which one W_V has the largest gradient of all heads' matrices.

    It must lead in both objectives, and in the rest of the sample, too.
    """
    samples = tables["parameter_gradient_samples"].dropna(subset="head")
    if "rest" not in set(samples["sample"]):
        raise NotApplicable("there is one paragraph")
    matrix, keys = ["component", "layer", "head"], ["sample", "number", "group"]
    first = samples.pivot(index=keys, columns=matrix, values="max_abs").idxmax(axis=1).unstack("group")
    part, rest = first.loc["part"], first.loc["rest"]
    alike = (part == rest.loc[part.index]).all(axis=1) & (part["memorized"] == part["contrastive"])
    leads = alike & (part["memorized"].str[0] == "W_V")
    return share(int(leads.sum()), len(leads))


def _compared(tables: Tables, value: str, first: str, second: str) -> np.ndarray:
    """Values of the first set's sampled paragraphs minus those of the second set's, in random pairs."""
    values, sets = paragraph_sizes(tables["paragraph_gradients"])[value], tables["sets"]
    sampled = sets[sets["sampled"]]
    groups = (values.loc[sampled["id"][sampled["set"] == name]] for name in (first, second))
    return np.subtract(*at_random(*groups))
