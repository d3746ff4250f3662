"""Estimators of the topic `cumulative_ablation`: does a ranking find heads that memorized paragraphs need?

EM lost without the first heads of a ranking is compared with that of random orders, in both panels of the
figure. It is averaged over the numbers of heads, so that none is searched for. The interval covers those
against every random order: it is above zero only where each of them is beaten, beyond the chance of the
paragraphs. A ranking that is no better than chance is below all of 39 random orders in 2.5 % of the
cases. Only paragraphs that no analysis has sampled count.
"""

from collections.abc import Callable
from dataclasses import replace

import pandas as pd

from memloc.claims.verdicts import Estimate, little_left
from memloc.settings.base import Section
from memloc.statistics import uncertainty
from memloc.statistics.uncertainty import Interval

Tables = dict[str, pd.DataFrame]
MIN_ORDERS = 39  # a ranking that is as good as a random order is below all of them in 1 case of 40


def memorized_below_random(tables: Tables, settings: Section, method: str) -> Estimate:
    """How much more EM memorized paragraphs lose than under any random order."""
    return _against_random(tables, method, lambda more: uncertainty.paired(more["memorized"]))


def non_memorized_as_random(tables: Tables, settings: Section, method: str) -> Estimate:
    """How much less EM non-memorized paragraphs lose than under the mean random order."""
    lost = _lost(tables)
    if method not in lost["non_memorized"]:
        return _no_ranking(method)
    others, own = lost["non_memorized"]["random"].mean(axis=1), lost["non_memorized"][method][0]
    return Estimate.of(uncertainty.paired(others - own), _doubt(lost))


def specific_below_random(tables: Tables, settings: Section, method: str) -> Estimate:
    """How much more EM memorized paragraphs lose than under any random order, minus the same of others.

    In doubt if the random orders leave the others little more to lose.
    """
    found = _against_random(
        tables, method, lambda more: uncertainty.difference(more["memorized"], more["non_memorized"])
    )
    if found.missing or found.doubt:
        return found
    n_continuation = settings.paragraph.continuation
    lost = _lost(tables)["non_memorized"]["random"].to_numpy().mean()
    return replace(found, doubt=little_left(n_continuation - lost, n_continuation))


def _against_random(
    tables: Tables, method: str, judge: Callable[[dict[str, pd.Series]], Interval]
) -> Estimate:
    lost = _lost(tables)
    if method not in lost["memorized"]:
        return _no_ranking(method)
    intervals = []
    for draw in lost["memorized"]["random"]:
        more = {group: found[method][0] - found["random"][draw] for group, found in lost.items()}
        intervals.append(judge(more))
    return Estimate.of(uncertainty.covering(intervals), _doubt(lost))


def _lost(tables: Tables) -> dict[str, pd.DataFrame]:
    """Mean EM lost over the numbers of heads: unseen paragraphs (rows) by method and draw, of each group."""
    table = tables["cumulative_ablation"]
    rows = table[(table["n_heads"] > 0) & ~table["seen"]]
    means = rows.groupby(["group", "id", "method", "draw"])["em_lost"].mean().unstack(["method", "draw"])
    groups = means.index.get_level_values("group")
    return {name: means[groups == name] for name in ("memorized", "non_memorized")}


def _doubt(lost: dict[str, pd.DataFrame]) -> str | None:
    n = lost["memorized"]["random"].shape[1]
    return f"{n} random orders; fewer than {MIN_ORDERS} leave too much to chance" if n < MIN_ORDERS else None


def _no_ranking(method: str) -> Estimate:
    return Estimate(missing=f"no method {method} ranks heads in this study")
