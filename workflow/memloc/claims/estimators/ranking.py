"""Estimators of the topic `ranking`: does one head lead, and do the methods agree (paper 6)?

Resampled paragraphs judge: ranks from a tenth of the paragraphs are so noisy that methods seem to disagree.
"""

import numpy as np
import pandas as pd

from memloc.claims.verdicts import Estimate, NotApplicable, Tables
from memloc.localization.head_ranking import exchanged_agreement, rank_agreement
from memloc.model.head_groups import stored_head
from memloc.settings.base import Section
from memloc.statistics.studentised import ENOUGH, lead_of_resamples
from memloc.statistics.uncertainty import TAILS, Interval, resampled
from memloc.tables.terms.head_ranking import PAPER_METHODS


def methods_agree(tables: Tables, settings: Section) -> Estimate:
    """Kendall's tau of heads' ranks, mean over pairs of methods, minus the tau of heads exchanged in layers.

    Heads of a layer are alike, so methods that only rank layers agree as much after the exchange. Heads that
    share keys and values, and a rank, neither agree nor disagree. The claim never fails, because noise lowers
    agreement: one interval in six ends below the true tau (simulated). It is in doubt unless tau is above
    97.5 % of the exchanges: with few heads, rankings may agree by luck, however many paragraphs there are.
    """
    samples, ranking = _samples(tables), tables["head_ranking"]
    exchanges = np.mean([*exchanged_agreement(ranking, PAPER_METHODS).values()], axis=0)
    exchanged, luck = exchanges.mean(), np.quantile(exchanges, TAILS[1])
    whole = ranking.assign(sample="whole", number=0)
    of_samples = pd.concat([whole, samples])[["sample", "number", "method", "layer", "head", "rank"]]
    by_pair = rank_agreement(of_samples.astype({"sample": str, "method": str}), PAPER_METHODS).values()
    tau = {
        kind: np.mean([found[kind] for found in by_pair], axis=0) - exchanged
        for kind in ("whole", "resample", "rest")
    }
    if len(tau["rest"]) < ENOUGH:  # from so few paragraphs, the ranks themselves are chance
        return Estimate.of(Interval(float(tau["whole"][0]), -np.inf, np.inf, len(tau["rest"])))
    found = resampled(float(tau["whole"][0]), tau["resample"], tau["rest"])
    doubt = "noise of the ranks lowers their agreement" if found.high < 0 else None
    if found.low > 0 and exchanged + found.value <= luck:
        doubt = "more than one in 40 exchanges of heads within their layers agree as well"
    return Estimate.of(found, doubt=doubt)


def one_head_leads(tables: Tables, settings: Section) -> Estimate:
    """Mean rank over methods of the second head, minus the mean rank of the first.

    Query heads that share keys and values count as one head, with the best of their ranks: methods that
    see only keys and values cannot tell them apart.
    """
    samples, heads = _samples(tables), tables["parameter_gradients"].groupby("component")["head"].max() + 1
    parts = samples.loc[samples["sample"] == "part", "number"]
    whole, drawn = tables["head_ranking"].assign(number=-1), samples[samples["sample"] == "resample"]
    ranks = pd.concat([rows[rows["method"].isin(PAPER_METHODS)] for rows in (whole, drawn)])
    shared = stored_head(ranks["head"].astype(int), heads["W_V"], heads["W_Q"]).rename("shared")
    by_head = ranks.groupby(["number", "layer", shared, "head"])["rank"].mean()
    scores = -by_head.groupby(["number", "layer", "shared"]).min().unstack(["layer", "shared"]).to_numpy()
    return Estimate.of(lead_of_resamples(scores[0], scores[1:], parts.nunique()))


def _samples(tables: Tables) -> pd.DataFrame:
    samples = tables["head_rank_samples"]
    if not (samples["sample"] == "rest").any():
        raise NotApplicable("there is one paragraph: none is left to judge a head on")
    return samples
