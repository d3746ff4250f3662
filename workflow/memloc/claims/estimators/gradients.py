"""Estimators of the topic `gradients`: where the gradients of the weights are large (paper 5.1, 5.2).

Sizes are those of each paragraph's own gradient, so that sets of different sizes can be compared. In the
gradient of a mean, differences between paragraphs cancel, and more so in larger sets.
"""

import numpy as np
import pandas as pd

from memloc.claims.verdicts import Estimate
from memloc.settings.base import Section
from memloc.statistics.studentised import lead_of_resamples, studentised

Tables = dict[str, pd.DataFrame]
OBJECTIVES = ("memorized", "contrastive")


def non_memorized_gradients_larger(tables: Tables, settings: Section) -> Estimate:
    """Log of the ratio of all |gradients|, non-memorized to memorized paragraphs."""
    sizes = np.log(_totals(tables["paragraph_gradients"], "sum_abs"))
    return _compared(sizes, "non_memorized", "memorized")


def memorized_gradients_lean_to_lower_layers(tables: Tables, settings: Section) -> Estimate:
    """Share of the scores that lies in lower layers, memorized minus non-memorized paragraphs."""
    gradients = tables["paragraph_gradients"]
    n_lower = gradients["layer"].nunique() // 2
    if not n_lower:
        return Estimate(missing="the model has one layer")
    lower = gradients[gradients["layer"] < n_lower]
    return _compared(
        _totals(lower, "score_sum") / _totals(gradients, "score_sum"), "memorized", "non_memorized"
    )


def one_value_matrix_leads(tables: Tables, settings: Section) -> Estimate:
    """By how much the largest W_V exceeds every other matrix of a head (log of max |gradient|).

    The smaller lead of both objectives counts, with its ends. The W_V is the largest one of the memorized
    objective.
    """
    samples = tables["parameter_gradient_samples"]
    if "rest" not in set(samples["sample"]):
        return Estimate(missing="there is one paragraph")
    matrix, names = ["component", "layer", "head"], ["group", "sample", "number"]
    drawn = np.log(
        samples.dropna(subset="head").pivot(index=names, columns=matrix, values="max_abs")
    ).sort_index(axis=1)
    whole = tables["parameter_gradients"].dropna(subset="head").set_index(["group", *matrix])["max_abs"]
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
    return Estimate.of(min(leads, key=lambda lead: (lead.low, lead.value)))


def _totals(gradients: pd.DataFrame, value: str) -> pd.Series:
    """Sum over layers by group and paragraph."""
    return gradients.groupby(["group", "id"])[value].sum()


def _compared(values: pd.Series, first: str, second: str) -> Estimate:
    return Estimate.of(studentised(values[first], values[second]), len(values[second]))
