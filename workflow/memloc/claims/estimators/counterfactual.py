"""Estimators of the topic `counterfactual`: measures of memorization, tested by models that never saw a
paragraph (2112.12938).
"""

import pandas as pd

from memloc.claims.unlike import unlike
from memloc.claims.verdicts import NotApplicable, Tables
from memloc.scoring.counterfactual import comes_out
from memloc.settings.base import Section
from memloc.statistics.exact import Evidence, rate, share
from memloc.tables.terms.near_copies import RECONSTRUCTION

FEWEST_MODELS = 6  # trained without a paragraph: of fewer, the majority is chance


def recited_would_not_come_out(tables: Tables, settings: Section) -> Evidence:
    """Share of the recited paragraphs that most models trained without them do not recite."""
    return rate(unlike(_recited(tables), tables)["kind"] != RECONSTRUCTION)


def rules_tell_reconstructions(tables: Tables, settings: Section) -> Evidence:
    """Of recited paragraphs that a rule gets, the share that half of the models without them recite."""
    recited = _recited(tables)
    by_rule = recited[recited["kind_by_rule"] == RECONSTRUCTION]
    return rate(unlike(by_rule, tables)["kind"] == RECONSTRUCTION)


def held_out_recited_are_reconstructed(tables: Tables, settings: Section) -> Evidence:
    """Share of the recited paragraphs that no model was trained on that half of the models recite."""
    _seen(tables)
    data = tables["counterfactual"].set_index("id")
    unseen = data[(data["n_with"] == 0) & data["kind_by_rule"].notna()]
    return rate(comes_out(unlike(unseen, tables)["recited_without"]))


def prefix_nll_follows_training(tables: Tables, settings: Section) -> Evidence:
    """Share of random pairs of paragraphs that are repeated equally often, in which training lowers the NLL
    more for the one with the lower prefix NLL. Pairs share no paragraph; ties do not count."""
    data = _seen(tables)
    data = unlike(data[data["repeats"] > 1], tables).sample(frac=1, random_state=0)
    place = data.groupby("repeats").cumcount()
    data = data.assign(pair=place // 2)
    pairs = data[place % 2 == 0].merge(data[place % 2 == 1], on=["repeats", "pair"])
    agreed = _ahead(pairs, "prefix_nll") * _ahead(pairs, "nll_difference")
    return share(int((agreed > 0).sum()), int((agreed != 0).sum()))


def _recited(tables: Tables) -> pd.DataFrame:
    """Recited paragraphs whose kind models that never saw them tell."""
    return _seen(tables).dropna(subset="kind")


def _ahead(pairs: pd.DataFrame, value: str) -> pd.Series:
    """1 where the first paragraph of a pair has the larger value, -1 where it has the smaller one, else 0."""
    first, second = pairs[f"{value}_x"], pairs[f"{value}_y"]
    return (first > second).astype(int) - (first < second)


def _seen(tables: Tables) -> pd.DataFrame:
    """Paragraphs, by id, that some models were trained on, and enough others not."""
    if "counterfactual" not in tables:
        raise NotApplicable("no model was trained without paragraphs: see counterfactual.n_models")
    data = tables["counterfactual"].set_index("id")
    seen = data[(data["n_with"] > 0) & (data["n_without"] > 0)]
    if seen["n_without"].min() < FEWEST_MODELS:
        raise NotApplicable(f"fewer than {FEWEST_MODELS} models were trained without a paragraph")
    return seen
