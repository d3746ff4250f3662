"""Estimators of the topic `ranking`: does one head lead (paper 6)?"""

import pandas as pd

from memloc.claims.verdicts import NotApplicable, Tables
from memloc.model.head_groups import stored_head
from memloc.settings.base import Section
from memloc.statistics.exact import Evidence, rate
from memloc.tables.terms.head_ranking import PAPER_METHODS


def one_head_leads(tables: Tables, settings: Section) -> Evidence:
    """Share of the parts of the sample in which the head comes first that leads in the rest of the sample.

    Heads are ordered by their mean rank over methods. Query heads that share keys and values count as one
    head, with the best of their ranks: methods that see only keys and values cannot tell them apart.
    """
    samples, stored = tables["head_rank_samples"], tables["parameter_gradients"].groupby("component")["head"]
    if not (samples["sample"] == "rest").any():
        raise NotApplicable("there is one paragraph: none is left to judge a head on")
    ranks, n_heads = samples[samples["method"].isin(PAPER_METHODS)], stored.max() + 1
    shared = stored_head(ranks["head"].astype(int), n_heads["W_V"], n_heads["W_Q"]).rename("shared")
    keys = ["sample", "number", "layer", shared]
    by_head = ranks.groupby([*keys, "head"], observed=True)["rank"].mean()
    best = by_head.groupby(level=[0, 1, 2, 3], observed=True).min().unstack(["layer", "shared"])
    part, first = best.loc["part"], best.loc["rest"].idxmin(axis=1)
    return rate([_alone_first(part.loc[number], first[number]) for number in part.index])


def _alone_first(ranks: pd.Series, head: tuple[int, int]) -> bool:
    """Whether every other head has a larger mean rank."""
    return bool((ranks.drop(head) > ranks[head]).all())
