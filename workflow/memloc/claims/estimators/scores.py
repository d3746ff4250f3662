"""Estimators of the topic `scores`: how many paragraphs are recited, and how they differ (paper 3.2)."""

import pandas as pd

from memloc.claims.verdicts import Estimate
from memloc.data.sets import assign_sets, without_controls
from memloc.settings.base import Section
from memloc.statistics import uncertainty


def published_size(tables: dict[str, pd.DataFrame], settings: Section, set: str) -> Estimate:
    """Paragraphs of a set among those that the authors' filter code keeps."""
    if settings.expected.filter != "reference":
        return Estimate(
            missing="not all paragraphs that the authors' filter keeps were scored: see expected.filter"
        )
    scores = tables["scores"]
    kept = scores[~scores["id"].isin(tables["dropped_reference"]["id"])]
    size = (assign_sets(kept["em"], settings.paragraph.continuation) == set).sum()
    return Estimate(int(size), n=len(kept))


def at_the_ends(tables: dict[str, pd.DataFrame], settings: Section) -> Estimate:
    """Share of the paragraphs that are memorized or not, and not partly."""
    sets = without_controls(tables["sets"])["set"]
    if not (sets == "memorized").any():
        return Estimate(missing="no paragraph is memorized, so there is at most one cluster")
    return Estimate.of(
        uncertainty.proportion(int(sets.isin(["memorized", "non_memorized"]).sum()), len(sets))
    )


def complete(tables: dict[str, pd.DataFrame], settings: Section) -> Estimate:
    """Share of the memorized among paragraphs of which three fifths or more match."""
    sets = tables["sets"]["set"]
    n_memorized, n_most = int((sets == "memorized").sum()), int((sets == "partly_30_49").sum())
    if n_memorized + n_most == 0:
        return Estimate(missing="no paragraph matches in three fifths of its continuation")
    return Estimate.of(uncertainty.proportion(n_memorized, n_memorized + n_most))


def nll_difference(tables: dict[str, pd.DataFrame], settings: Section) -> Estimate:
    """NLL of non-memorized paragraphs minus that of memorized ones, in nats per token."""
    memorized, others = _nll(tables)
    if missing := _not_comparable(memorized, others, settings):
        return missing
    return Estimate.of(uncertainty.difference(others, memorized))


def below_others(tables: dict[str, pd.DataFrame], settings: Section, quantile: float) -> Estimate:
    """Share of the memorized paragraphs whose NLL is below a quantile of the non-memorized ones' NLL."""
    memorized, others = _nll(tables)
    if missing := _not_comparable(memorized, others, settings):
        return missing
    below = int((memorized < others.quantile(quantile)).sum())
    return Estimate.of(uncertainty.proportion(below, len(memorized)))


def _nll(tables: dict[str, pd.DataFrame]) -> tuple[pd.Series, pd.Series]:
    data = tables["scores"].merge(tables["sets"], on="id")
    return data.loc[data["set"] == "memorized", "nll"], data.loc[data["set"] == "non_memorized", "nll"]


def _not_comparable(memorized: pd.Series, others: pd.Series, settings: Section) -> Estimate | None:
    """Why NLLs of the two sets say nothing, if they do not."""
    if settings.sets.split_by == "nll":
        return Estimate(missing="the sets were made by NLL, so their NLLs differ in any case")
    if not len(memorized) or not len(others):
        return Estimate(missing="one of the two sets is empty")
    return None
