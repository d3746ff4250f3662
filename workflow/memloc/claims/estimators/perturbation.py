"""Estimators of the topic `perturbation`: the cost of replacing prefix tokens (paper 4).

Exact match ends at the first mistake, so the NLL is averaged instead.
"""

import pandas as pd

from memloc.claims.verdicts import Estimate, NotApplicable, Tables
from memloc.perturbation.effects import (
    LARGE_DROP,
    before_last,
    drop_matrix,
    em_drops,
    few_kept,
    late_minus_early,
    nll_rises,
)
from memloc.perturbation.still_there import still_there
from memloc.settings.base import Section
from memloc.statistics.studentised import studentised
from memloc.tables.terms.kept_tokens import COSTLIEST


def one_token_costs_most(tables: Tables, settings: Section) -> Estimate:
    """Share of memorized paragraphs in which a token before the last costs 90 % of the EM, at draw 0."""
    drops = em_drops(_of_set(tables, "memorized"))
    drops = before_last(drops[drops["draw"] == 0], settings.paragraph.prefix)
    largest = drops.groupby("id")["em_drop"].max()
    n_large = int((largest >= LARGE_DROP * settings.paragraph.continuation).sum())
    return Estimate.of_share(n_large, len(largest))


def non_memorized_easier(tables: Tables, settings: Section) -> Estimate:
    """Mean rise in NLL per replaced token, non-memorized minus memorized paragraphs."""
    others, memorized = (
        drop_matrix(risen(_of_set(tables, name)), "nll_rise").mean(axis=1)
        for name in ("non_memorized", "memorized")
    )
    return Estimate.of(studentised(others, memorized), max(len(others), len(memorized)))


def later_matters_in_memorized(tables: Tables, settings: Section) -> Estimate:
    """Mean rise in NLL by tokens of the prefix's second half (without the last), minus its first half."""
    rises = before_last(risen(_of_set(tables, "memorized")), settings.paragraph.prefix)
    return Estimate.of(studentised(late_minus_early(drop_matrix(rises, "nll_rise"))))


def most_tokens_are_replaceable(tables: Tables, settings: Section) -> Estimate:
    """Share of memorized paragraphs of which most prefix tokens can be replaced without losing a token."""
    drops = em_drops(_of_set(tables, "memorized"))
    spared = (drops["em_drop"] <= 0).groupby(drops["id"]).mean()
    return Estimate.of_share(int((spared > 0.5).sum()), len(spared))


def few_tokens_suffice(tables: Tables, settings: Section) -> Estimate:
    """Share of memorized paragraphs that are recited from the costliest fifth of their prefix, at draw 0."""
    risen(_of_set(tables, "memorized"))  # by exact match, most tokens cost nothing or everything
    rows = few_kept(tables["kept_tokens"], settings.paragraph.prefix)
    rows = rows[(rows["kept"] == COSTLIEST) & (rows["draw"] == 0)]
    n_recited = int((rows["em"] == settings.paragraph.continuation).sum())
    return Estimate.of_share(n_recited, len(rows))


def perturbed_are_fluent(tables: Tables, settings: Section) -> Estimate:
    """NLL of unperturbed non-memorized paragraphs minus the NLL of perturbed prefixes' new continuations.

    Continuations on both sides may recite other paragraphs.
    """
    perturbed = tables["perturbed_paragraphs"]
    memorized = tables["sets"].set_index("id")["continuation"].loc[perturbed["id"]]
    new = perturbed.loc[~still_there(perturbed, memorized)["held"], "nll"]
    if new.empty:
        raise NotApplicable("no replaced token brought out another continuation")
    rows = _of_set(tables, "non_memorized")
    others = rows.loc[rows["position"] < 0, "nll_original"]
    return Estimate.of(studentised(others, new), max(len(others), len(new)))


def risen(rows: pd.DataFrame) -> pd.DataFrame:
    """The table of `nll_rises`. NotApplicable: no NLL was computed."""
    rises = nll_rises(rows)
    if rises.empty:
        raise NotApplicable("the NLL of perturbed paragraphs was not computed: see perturbation.nll")
    return rises


def _of_set(tables: Tables, name: str) -> pd.DataFrame:
    rows = tables["perturbation"]
    return rows[rows["set"] == name]
