"""Estimators of the topic `gradients`: where the gradients of the weights are large (paper 5.1, 5.2, A.2).

Sizes are those of each paragraph's own gradient, so that sets of different sizes can be compared. In the
gradient of a mean, differences between paragraphs cancel, and more so in larger sets.
"""

import numpy as np
import pandas as pd

from memloc.claims.verdicts import Estimate
from memloc.settings.base import Section
from memloc.statistics import uncertainty
from memloc.statistics.uncertainty import Interval
from memloc.tables.terms.sets import PARTLY

Tables = dict[str, pd.DataFrame]
OBJECTIVES = ("memorized", "contrastive")


def larger_in_non_memorized(tables: Tables, settings: Section) -> Estimate:
    """Log of the ratio of all |gradients|, non-memorized to memorized paragraphs."""
    sizes = np.log(_totals(tables["paragraph_gradients"], "sum_abs"))
    return Estimate.of(uncertainty.difference(sizes["non_memorized"], sizes["memorized"]))


def lower_layers_smaller_in_memorized(tables: Tables, settings: Section) -> Estimate:
    """Log of the ratio of the scores in lower layers, non-memorized to memorized paragraphs."""
    gradients = tables["paragraph_gradients"]
    if not _n_lower(gradients):
        return Estimate(missing="the model has one layer")
    sizes = np.log(_totals(gradients[gradients["layer"] < _n_lower(gradients)], "score_sum"))
    return Estimate.of(uncertainty.difference(sizes["non_memorized"], sizes["memorized"]))


def lower_share_larger_in_memorized(tables: Tables, settings: Section) -> Estimate:
    """Share of the scores that lies in lower layers, memorized minus non-memorized paragraphs."""
    gradients = tables["paragraph_gradients"]
    if not _n_lower(gradients):
        return Estimate(missing="the model has one layer")
    shares = _lower_shares(gradients, "score_sum")
    return Estimate.of(uncertainty.difference(shares["memorized"], shares["non_memorized"]))


def size_between(tables: Tables, settings: Section) -> Estimate:
    """The smaller of two falls of log |gradient|, from non-memorized over partly memorized to memorized."""
    sizes = -np.log(_totals(tables["paragraph_gradients"], "sum_abs"))
    return _smaller_step(sizes)


def lower_share_between(tables: Tables, settings: Section) -> Estimate:
    """The smaller of two rises of the share of lower layers, over partly memorized paragraphs."""
    gradients = tables["paragraph_gradients"]
    if not _n_lower(gradients):
        return Estimate(missing="the model has one layer")
    return _smaller_step(_lower_shares(gradients, "score_sum"))


def value_matrix_leads(
    tables: Tables, settings: Section, layer: int | None = None, head: int | None = None
) -> Estimate:
    """By how much one W_V exceeds every other matrix of a head, in both objectives (log of max |gradient|).

    Both the W_V and its strongest rival are found on the paragraphs outside of a part, and judged on the
    part; the smaller lead of both objectives counts. A given head is not searched for. The low end is
    the lowest of those to all other matrices in either objective (`lead_of_parts`).
    """
    samples = tables["parameter_gradient_samples"]
    rows = samples[samples["head"].notna()]
    wide = rows.pivot(
        index=["sample", "number"], columns=["group", "component", "layer", "head"], values="max_abs"
    )
    wide = wide.sort_index(axis=1)
    if "rest" not in wide.index.get_level_values("sample"):
        return Estimate(missing="there is one paragraph")
    part, rest = np.log(wide.loc["part"]), np.log(wide.loc["rest"])
    leads, behind = [], []
    for number in part.index:
        chosen = ("W_V", layer, head)
        if layer is None:
            chosen = ("W_V", *rest.loc[number, ("memorized", "W_V")].idxmax())
        leads.append(
            min(_lead(part.loc[number, group], rest.loc[number, group], chosen) for group in OBJECTIVES)
        )
        scores = part.loc[number].unstack("group")[list(OBJECTIVES)]
        ahead = scores.loc[chosen] - scores
        ahead.loc[chosen] = np.nan
        behind.append(ahead.to_numpy().ravel())
    return Estimate.of(uncertainty.lead_of_parts(np.array(leads), np.array(behind)))


def _lead(part: pd.Series, rest: pd.Series, chosen: tuple[str, int, int]) -> float:
    return float(part[chosen] - part[rest.drop(chosen).idxmax()])


def _totals(gradients: pd.DataFrame, value: str) -> pd.Series:
    """Sum over layers by group and paragraph."""
    return gradients.groupby(["group", "id"])[value].sum()


def _n_lower(gradients: pd.DataFrame) -> int:
    return gradients["layer"].nunique() // 2


def _lower_shares(gradients: pd.DataFrame, value: str) -> pd.Series:
    lower = gradients[gradients["layer"] < _n_lower(gradients)]
    return _totals(lower, value) / _totals(gradients, value)


def _smaller_step(values: pd.Series) -> Estimate:
    """The rise whose interval begins lower: from non-memorized over partly memorized to memorized."""
    partly = [group for group in PARTLY if group in values.index.get_level_values("group")]
    if not partly:
        return Estimate(missing="no paragraph is partly memorized")
    steps = [
        uncertainty.difference(values[partly], values["non_memorized"]),
        uncertainty.difference(values["memorized"], values[partly]),
    ]
    return Estimate.of(min(steps, key=_low))


def _low(interval: Interval) -> float:
    return interval.low
