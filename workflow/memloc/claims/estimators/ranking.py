"""Estimators of the topic `ranking`: does one head lead, and do the methods agree (paper 6)?"""

import numpy as np
import pandas as pd

from memloc.claims.verdicts import NotApplicable, Tables
from memloc.localization.head_ranking import exchanged_agreement, rank_agreement
from memloc.model.head_groups import stored_head
from memloc.settings.base import Section
from memloc.statistics.exact import Evidence, among, share
from memloc.tables.terms.head_ranking import PAPER_METHODS


def methods_agree(tables: Tables, settings: Section) -> Evidence:
    """Kendall's tau of heads' ranks, mean over pairs of methods, among those of heads exchanged in layers.

    Heads of a layer are alike, so methods that only rank layers agree as much after the exchange. Heads that
    share keys and values, and a rank, neither agree nor disagree.
    """
    ranking = tables["head_ranking"]
    whole = ranking.assign(sample="whole", number=0).astype({"method": str})
    own = [found["whole"][0] for found in rank_agreement(whole, PAPER_METHODS).values()]
    exchanges = np.mean([*exchanged_agreement(ranking, PAPER_METHODS).values()], axis=0)
    if not np.ptp(exchanges):
        raise NotApplicable("the layers have a single head")
    return among(float(np.mean(own)), exchanges)


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
    leads = [_alone_first(part.loc[number], first[number]) for number in part.index]
    return share(sum(leads), len(leads))


def _alone_first(ranks: pd.Series, head: tuple[int, int]) -> bool:
    """Whether every other head has a larger mean rank."""
    return bool((ranks.drop(head) > ranks[head]).all())
