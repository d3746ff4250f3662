"""Estimators of the topic `ranking`: which head the methods rank first, and whether they agree (paper 6).

A head that is searched for is found by all methods on the paragraphs outside of a part, and judged on the
part. Each method has parts of its own, so a paragraph may choose by one method and judge by another. This
makes no head lead: it must lead every other one, and the first of several equal ones does not lead the next
by as much, even on the paragraphs that chose it.
"""

import numpy as np
import pandas as pd

from memloc.claims.verdicts import Estimate
from memloc.localization.head_ranking import exchanged_agreement
from memloc.settings.base import Section
from memloc.statistics import uncertainty
from memloc.statistics.uncertainty import CONFIDENCE, MIN_N, Interval
from memloc.tables.terms.head_ranking import COMBINED, PAPER_METHODS

Tables = dict[str, pd.DataFrame]
ONE_PART = "there is one paragraph: none is left to judge a head on"


def methods_agree(tables: Tables, settings: Section) -> Estimate:
    """Kendall's tau of the heads' ranks, mean over pairs of methods, above that of heads which change places
    within their layers; the interval is that of such exchanges.

    Heads of a layer are alike: methods that only rank the same layers first agree as much.
    """
    samples = tables["head_rank_samples"]
    n_parts = samples.loc[samples["sample"] == "rest", "number"].nunique()
    if not n_parts:
        return Estimate(missing=ONE_PART)
    agreement = tables["ranking_agreement"]
    pairs = agreement[agreement[["method_a", "method_b"]].isin(PAPER_METHODS).all(axis=1)]
    exchanged = np.mean([*exchanged_agreement(tables["head_ranking"], PAPER_METHODS).values()], axis=0)
    low, high = np.quantile(exchanged, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    tau = float(pairs["kendall"].mean())
    excess = tau - float(exchanged.mean())
    if n_parts < MIN_N:  # of so few paragraphs, the ranks themselves are a chance
        return Estimate.of(Interval(excess, -np.inf, np.inf, n_parts))
    return Estimate.of(Interval(excess, tau - float(high), tau - float(low), len(exchanged)))


def first_head_leads(
    tables: Tables, settings: Section, layer: int | None = None, head: int | None = None
) -> Estimate:
    """Places of the combined ranking between the first head and the next one, mean over parts.

    Both heads are found outside of the part; a given head is not searched for; its rival is. The low end is
    the lowest of those to all other heads (`lead_of_parts`).
    """
    part, rest = _ranks(tables, "part"), _ranks(tables, "rest")
    if rest is None:
        return Estimate(missing=ONE_PART)
    leads, behind = [], []
    for number in part.index.unique("number"):
        order = rest.loc[number, COMBINED].sort_values().index
        first = order[0] if layer is None else (layer, head)
        second = next(other for other in order if other != first)
        ranks = part.loc[number, COMBINED]
        leads.append(ranks[second] - ranks[first])
        behind.append((ranks - ranks[first]).astype(float).mask(ranks.index == first))
    found = uncertainty.lead_of_parts(np.array(leads), np.array(behind))
    return Estimate.of(found, _shared_first(tables))


def methods_that_rank_it_first(tables: Tables, settings: Section) -> Estimate:
    """Share of the methods that rank first the head which all together rank first outside of the part."""
    part, rest = _ranks(tables, "part"), _ranks(tables, "rest")
    if rest is None:
        return Estimate(missing=ONE_PART)
    shares = []
    for number in part.index.unique("number"):
        chosen = rest.loc[number, COMBINED].idxmin()
        shares.append(np.mean([part.loc[number, method][chosen] == 1 for method in PAPER_METHODS]))
    return Estimate.of(uncertainty.mean(np.array(shares)), _shared_first(tables))


def _shared_first(tables: Tables) -> str | None:
    """Why to doubt that a head is first: of heads with the same score, the lower one is put first."""
    ranking = tables["head_ranking"]
    scores = ranking.loc[ranking["method"] == COMBINED, "score"]
    n = int((scores == scores.max()).sum())
    return f"{n} heads share the first place" if n > 1 else None


def _ranks(tables: Tables, kind: str) -> pd.DataFrame | None:
    """Ranks by (number, method) and (layer, head), of one kind of samples; nothing if there is none."""
    samples = tables["head_rank_samples"]
    rows = samples[samples["sample"] == kind].astype({"method": str})
    if rows.empty:
        return None
    return rows.pivot(index=["number", "method"], columns=["layer", "head"], values="rank")
