"""Estimators of the topic `perturbation`: what replacing one prefix token costs (paper 4)."""

import pandas as pd

from memloc.claims.verdicts import Estimate
from memloc.perturbation.effects import before_last, drop_matrix, em_drops, late_minus_early
from memloc.settings.base import Section
from memloc.statistics import uncertainty

Tables = dict[str, pd.DataFrame]


def largest_drop(tables: Tables, settings: Section, last_token: str) -> Estimate:
    """Largest drop of a memorized paragraph's EM by one token, with or without the last one of the prefix."""
    drops = _drops(tables, settings, "memorized", last_token)
    return Estimate(float(drops["em_drop"].max()), n=drops["id"].nunique())


def easier_perturbed(tables: Tables, settings: Section) -> Estimate:
    """Mean drop per replaced token: that of non-memorized paragraphs minus that of memorized ones."""
    if settings.sets.continuation == "corpus":
        return Estimate(
            missing="non-memorized paragraphs have the corpus's continuation, which the model does not give: "
            "there is little of it to lose"
        )
    means = [
        drop_matrix(_drops(tables, settings, name, "with")).mean(axis=1)
        for name in ("non_memorized", "memorized")
    ]
    return Estimate.of(uncertainty.difference(*means))


def later_tokens(tables: Tables, settings: Section, set: str, last_token: str) -> Estimate:
    """Mean drop by tokens of the prefix's second half minus that by tokens of its first half."""
    matrix = drop_matrix(_drops(tables, settings, set, last_token))
    return Estimate.of(uncertainty.paired(late_minus_early(matrix)))


def few_tokens_trigger(tables: Tables, settings: Section) -> Estimate:
    """Share of the prefix tokens that can be replaced one at a time without losing a token."""
    drops = _drops(tables, settings, "memorized", "with")
    return Estimate.of(uncertainty.mean((drops["em_drop"] <= 0).groupby(drops["id"]).mean()))


def fluency(tables: Tables, settings: Section) -> Estimate:
    """NLL of non-memorized paragraphs, unperturbed, minus that of what follows perturbed prefixes."""
    if settings.sets.continuation == "corpus":
        return Estimate(
            missing="non-memorized paragraphs have the corpus's continuation, which the model did not write"
        )
    perturbed = tables["perturbed_paragraphs"]["nll"]
    if perturbed.empty:
        return Estimate(missing="no replaced token changed any continuation")
    rows = tables["perturbation"]
    other = rows.loc[(rows["set"] == "non_memorized") & (rows["position"] < 0), "nll_original"]
    return Estimate.of(uncertainty.difference(other, perturbed))


def _drops(tables: Tables, settings: Section, set: str, last_token: str) -> pd.DataFrame:
    rows = tables["perturbation"]
    drops = em_drops(rows[rows["set"] == set])
    return before_last(drops, settings.paragraph.prefix) if last_token == "without" else drops
