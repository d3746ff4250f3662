"""Estimators of the topic `weight_noise`: do the weights with the largest gradients hold paragraphs?

Tokens lost to noise on (or zeroing of) these weights are compared with those lost to the same on as many
random ones, in each draw. An interval spans those of all draws, because a draw affects all paragraphs
together. Sizes of the noise are averaged, so that none is searched for. Memorized paragraphs have not chosen
the weights.
"""

from dataclasses import replace

import pandas as pd

from memloc.claims.verdicts import Estimate, little_left
from memloc.settings.base import Section
from memloc.statistics import uncertainty
from memloc.statistics.uncertainty import MIN_N

Tables = dict[str, pd.DataFrame]
GROUPS = ("memorized", "non_memorized")


def top_costs_memorized(tables: Tables, settings: Section, kind: str) -> Estimate:
    """How much more EM memorized paragraphs lose by top-gradient than by random weights."""
    more = _more(tables, kind)
    return _of_draws([uncertainty.paired(draw["memorized"]) for draw in more])


def top_is_specific(tables: Tables, settings: Section, kind: str) -> Estimate:
    """The same, minus that of non-memorized paragraphs.

    In doubt if random weights leave these little more to lose.
    """
    more = _more(tables, kind)
    found = _of_draws([uncertainty.difference(draw["memorized"], draw["non_memorized"]) for draw in more])
    n_continuation = settings.paragraph.continuation
    rows = _rows(tables, kind).query("group == 'non_memorized' and arm == 'random'")
    return replace(found, doubt=found.doubt or little_left(rows["em"].mean(), n_continuation))


def _more(tables: Tables, kind: str) -> list[dict[str, pd.Series]]:
    """For each draw, how much more EM unseen paragraphs of each group lose by top than by random weights."""
    em = _rows(tables, kind).groupby(["draw", "group", "id", "arm"])["em"].mean().unstack("arm")
    more = em["random"] - em["top"]
    return [
        {group: of_draw[of_draw.index.get_level_values("group") == group] for group in GROUPS}
        for _, of_draw in more.groupby("draw")
    ]


def _rows(tables: Tables, kind: str) -> pd.DataFrame:
    table = tables["weight_noise"]
    return table[(table["kind"] == kind) & (table["size"] != 0) & ~table["seen"]]


def _of_draws(intervals: list[uncertainty.Interval]) -> Estimate:
    few = len(intervals) < MIN_N
    doubt = f"fewer than {MIN_N} draws could all go one way by chance" if few else None
    return Estimate.of(uncertainty.covering(intervals), doubt)
