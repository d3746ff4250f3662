"""Estimators of the topic `perturbation`: the cost of replacing prefix tokens (paper 4).

The paper measures exact match, and so do claims; the NLL is in the figure.
"""

import numpy as np
import pandas as pd

from memloc.claims.verdicts import NotApplicable, Tables
from memloc.perturbation.effects import (
    LARGE_DROP,
    before_last,
    drop_matrix,
    em_drops,
    late_minus_early,
)
from memloc.perturbation.still_there import still_there
from memloc.settings.base import Section
from memloc.statistics.exact import Evidence, at_random, median, share


def one_token_costs_most(tables: Tables, settings: Section) -> Evidence:
    """Share of memorized paragraphs in which a token before the last costs 90 % of the EM, at draw 0."""
    drops = em_drops(_of_set(tables, "memorized"))
    drops = before_last(drops[drops["draw"] == 0], settings.paragraph.prefix)
    largest = drops.groupby("id")["em_drop"].max()
    n_large = int((largest >= LARGE_DROP * settings.paragraph.continuation).sum())
    return share(n_large, len(largest))


def non_memorized_easier(tables: Tables, settings: Section) -> Evidence:
    """Mean loss of exact match per replaced token, a non-memorized minus a memorized paragraph."""
    others, memorized = (
        drop_matrix(em_drops(_of_set(tables, name))).mean(axis=1) for name in ("non_memorized", "memorized")
    )
    return median(np.subtract(*at_random(others, memorized)))


def later_matters_in_memorized(tables: Tables, settings: Section) -> Evidence:
    """Mean loss by tokens of the prefix's second half (without the last), minus its first half."""
    drops = before_last(em_drops(_of_set(tables, "memorized")), settings.paragraph.prefix)
    return median(late_minus_early(drop_matrix(drops)))


def most_tokens_are_replaceable(tables: Tables, settings: Section) -> Evidence:
    """Share of memorized paragraphs of which most prefix tokens can be replaced without losing a token."""
    drops = em_drops(_of_set(tables, "memorized"))
    spared = (drops["em_drop"] <= 0).groupby(drops["id"]).mean()
    return share(int((spared > 0.5).sum()), len(spared))


def rare_tokens_cost_most(tables: Tables, settings: Section) -> Evidence:
    """Spearman correlation of minus a token's count and the loss when it is replaced, by memorized paragraph.

    Counts are over whole memorized and non-memorized paragraphs, as for Figure 7. Where nothing is lost, or
    everything, there is no correlation.
    """
    sets = tables["sets"]
    tokens = tables["paragraphs"].set_index("id")["tokens"]
    counted = tokens.loc[sets.loc[sets["set"].isin(["memorized", "non_memorized"]), "id"]]
    counts = np.bincount(np.concatenate([*counted]))
    drops = before_last(em_drops(_of_set(tables, "memorized")), settings.paragraph.prefix)
    lost = drop_matrix(drops)
    rarity = pd.DataFrame([-counts[tokens[id]][lost.columns] for id in lost.index], lost.index, lost.columns)
    return median(lost.rank(axis=1).corrwith(rarity.rank(axis=1), axis=1))


def perturbed_are_fluent(tables: Tables, settings: Section) -> Evidence:
    """NLL of an unperturbed non-memorized paragraph minus the NLL of a perturbed prefix's new continuation.

    Continuations on both sides may recite other paragraphs.
    """
    perturbed = tables["perturbed_paragraphs"]
    memorized = tables["sets"].set_index("id")["continuation"].loc[perturbed["id"]]
    new = perturbed.loc[~still_there(perturbed, memorized)["held"], "nll"]
    if new.empty:
        raise NotApplicable("no replaced token brought out another continuation")
    rows = _of_set(tables, "non_memorized")
    others = rows.loc[rows["position"] < 0, "nll_original"]
    return median(np.subtract(*at_random(others, new)))


def _of_set(tables: Tables, name: str) -> pd.DataFrame:
    rows = tables["perturbation"]
    return rows[rows["set"] == name]
