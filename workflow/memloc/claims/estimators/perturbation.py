"""Estimators of the topic `perturbation`: the cost of replacing prefix tokens (paper 4).

The paper measures exact match, and so do claims; the NLL is in the figure.
"""

import numpy as np
import pandas as pd

from memloc.claims.unlike import unlike
from memloc.claims.verdicts import NotApplicable, Tables
from memloc.perturbation.effects import LARGE_DROP, before_last, drop_matrix, em_drops, lean_to_end
from memloc.perturbation.still_there import still_there
from memloc.settings.base import Section
from memloc.statistics.exact import Evidence, median, rate


def one_token_costs_most(tables: Tables, settings: Section) -> Evidence:
    """Share of memorized paragraphs in which a token before the last costs 90 % of the EM, at draw 0."""
    drops = em_drops(_of_set(tables, "memorized"))
    drops = before_last(drops[drops["draw"] == 0], settings.paragraph.prefix)
    largest = unlike(drops.groupby("id")["em_drop"].max(), tables)
    return rate(largest >= LARGE_DROP * settings.paragraph.continuation)


def non_memorized_easier(tables: Tables, settings: Section) -> Evidence:
    """Mean loss of exact match per replaced token, a non-memorized minus a memorized paragraph."""
    groups = (drop_matrix(em_drops(_of_set(tables, name))) for name in ("non_memorized", "memorized"))
    return median(*(unlike(group.mean(axis=1), tables) for group in groups))


def later_matters_in_memorized(tables: Tables, settings: Section) -> Evidence:
    """Points of the loss that tokens of the prefix's second half (without the last) cost more than its first.

    Paragraphs that lose nothing do not count.
    """
    drops = before_last(em_drops(_of_set(tables, "memorized")), settings.paragraph.prefix)
    return median(unlike(100 * lean_to_end(drop_matrix(drops)).dropna(), tables))


def most_tokens_are_replaceable(tables: Tables, settings: Section) -> Evidence:
    """Share of memorized paragraphs of which most prefix tokens can be replaced without losing a token."""
    drops = em_drops(_of_set(tables, "memorized"))
    spared = (drops["em_drop"] <= 0).groupby(drops["id"]).mean()
    return rate(unlike(spared, tables) > 0.5)


def rare_tokens_cost_most(tables: Tables, settings: Section) -> Evidence:
    """Points by which, of the pairs of tokens of unequal count and loss, those in which the rarer costs more
    outnumber the others (Goodman and Kruskal's gamma), by memorized paragraph.

    Counts are over whole memorized and non-memorized paragraphs, as for Figure 7. Where nothing is lost, or
    everything, there are no such pairs.
    """
    sets = tables["sets"]
    tokens = tables["paragraphs"].set_index("id")["tokens"]
    counted = tokens.loc[sets.loc[sets["set"].isin(["memorized", "non_memorized"]), "id"]]
    counts = np.bincount(np.concatenate([*counted]))
    drops = before_last(em_drops(_of_set(tables, "memorized")), settings.paragraph.prefix)
    lost = drop_matrix(drops)
    gamma = {}
    for id, own in zip(lost.index, lost.to_numpy(), strict=True):
        rarity = -counts[tokens[id]][lost.columns]
        ordered = np.sign(np.subtract.outer(own, own)) * np.sign(np.subtract.outer(rarity, rarity))
        gamma[id] = ordered.sum() / abs(ordered).sum() if ordered.any() else np.nan
    return median(unlike(100 * pd.Series(gamma, dtype=float).dropna(), tables))


def perturbed_are_fluent(tables: Tables, settings: Section) -> Evidence:
    """NLL of an unperturbed non-memorized paragraph minus the NLL of a perturbed prefix's new continuation.

    Continuations on both sides may recite other paragraphs.
    """
    perturbed = tables["perturbed_paragraphs"]
    memorized = tables["sets"].set_index("id")["continuation"].loc[perturbed["id"]]
    new = perturbed[~still_there(perturbed, memorized)["held"]].set_index("id")["nll"]
    if new.empty:
        raise NotApplicable("no replaced token brought out another continuation")
    rows = _of_set(tables, "non_memorized")
    others = rows[rows["position"] < 0].set_index("id")["nll_original"]
    return median(unlike(others, tables), unlike(new, tables))


def _of_set(tables: Tables, name: str) -> pd.DataFrame:
    rows = tables["perturbation"]
    return rows[rows["set"] == name]
