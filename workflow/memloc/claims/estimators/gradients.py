"""Estimators of the topic `gradients`: where the gradients of the weights are large (paper 5.1, 5.2).

Memorized and non-memorized paragraphs are the paper's samples, which occur unequally often; topic
`paired_gradients` compares paragraphs of equal exposure.
"""

import numpy as np

from memloc.claims.verdicts import Estimate, NotApplicable, Tables
from memloc.localization.gradient_sizes import paragraph_sizes
from memloc.settings.base import Section
from memloc.statistics.studentised import extreme, lead_of_resamples, studentised

OBJECTIVES = ("memorized", "contrastive")


def non_memorized_gradients_larger(tables: Tables, settings: Section) -> Estimate:
    """Log of the ratio of all |gradients|, non-memorized to memorized paragraphs."""
    return _compared(tables, "log_size", "non_memorized", "memorized")


def memorized_gradients_lean_to_lower_layers(tables: Tables, settings: Section) -> Estimate:
    """Share of the scores that lies in lower layers, memorized minus non-memorized paragraphs."""
    if tables["paragraph_gradients"]["layer"].nunique() == 1:
        raise NotApplicable("the model has one layer")
    return _compared(tables, "lower_share", "memorized", "non_memorized")


def one_value_matrix_leads(tables: Tables, settings: Section) -> Estimate:
    """Lead of the largest W_V over every other matrix of a head (log of max |gradient|).

    The W_V is the largest one under the memorized objective. Of its leads under both, the smaller counts.
    """
    samples = tables["parameter_gradient_samples"]
    if "rest" not in set(samples["sample"]):
        raise NotApplicable("there is one paragraph")
    matrix, names = ["component", "layer", "head"], ["group", "sample", "number"]
    drawn = np.log(
        samples.dropna(subset="head").pivot(index=names, columns=matrix, values="max_abs")
    ).sort_index(axis=1)
    gradients = tables["parameter_gradients"].dropna(subset="head")
    whole = gradients.set_index(["group", *matrix])["max_abs"].sort_index()
    first = drawn.columns.get_loc(("W_V", *whole["memorized", "W_V"].idxmax()))
    leads = [
        lead_of_resamples(
            np.log(whole[group]).reindex(drawn.columns).to_numpy(),
            drawn.loc[group, "resample"].to_numpy(),
            len(drawn.loc[group, "part"]),
            first,
        )
        for group in OBJECTIVES
    ]
    found = extreme(min, leads)
    doubt = "another matrix is larger, and resamples favour the largest" if found.high < 0 else None
    return Estimate.of(found, doubt=doubt)


def _compared(tables: Tables, value: str, first: str, second: str) -> Estimate:
    """Mean value of the first set's sampled paragraphs minus the mean of the second set's."""
    values, sets = paragraph_sizes(tables["paragraph_gradients"])[value], tables["sets"]
    sampled = sets[sets["sampled"]]
    a, b = (values.loc[sampled["id"][sampled["set"] == name]] for name in (first, second))
    return Estimate.of(studentised(a, b), max(len(a), len(b)))
