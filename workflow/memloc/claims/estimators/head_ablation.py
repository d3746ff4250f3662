"""Estimators of the topic `head_ablation`: do memorized paragraphs lose more without a head than others?

Memorized paragraphs are compared with others that occur equally often (pairs). The NLL judges: EM ends at the
first mistake, so it falls more easily where the model is less sure. Methods choose a head on some of the same
paragraphs, so intervals hold for all heads together. A configured head has an interval of its own.
"""

from functools import partial
from operator import itemgetter

import pandas as pd

from memloc.claims.verdicts import Estimate, NotApplicable, Tables
from memloc.data.sets import NO_PAIRS, paired_differences
from memloc.localization.highlight import highlighted_head
from memloc.settings.base import Section
from memloc.statistics.studentised import extreme, studentised
from memloc.tables.judged_texts import PAIRED


def highlighted_head_leads_its_layer(tables: Tables, settings: Section) -> Estimate:
    """NLL gained without the highlighted head, minus the mean over the other heads of its layer.

    Gains are differences, the memorized minus the other paragraph of each pair.
    """
    gained, head = gained_by_pair(tables), highlighted_head(tables, settings)
    n_heads = gained.columns.get_level_values("head").nunique()
    if n_heads == 1:
        raise NotApplicable("the layer has no other head")
    all_heads = gained.T.groupby("layer").transform("sum").T
    more = gained - (all_heads - gained) / (n_heads - 1)
    if settings.highlight != "auto":
        return Estimate.of(studentised(more[head]))
    return Estimate.of_search(more.to_numpy(), itemgetter(more.columns.get_loc(head)))


def some_head_specific(tables: Tables, settings: Section) -> Estimate:
    """The largest NLL gained without a head, above the mean over heads, memorized minus the other."""
    gained = gained_by_pair(tables)
    more = gained.sub(gained.mean(axis=1), axis=0)
    return Estimate.of_search(more.to_numpy(), partial(extreme, max))


def gained_by_pair(tables: Tables) -> pd.DataFrame:
    """NLL gained without each head (columns: layer, head), memorized minus the other paragraph, by pair."""
    table = tables["head_ablation"]
    rows = table[table["group"] == PAIRED]
    wide = rows.pivot(index="id", columns=["layer", "head"], values="nll_gained")
    gained = paired_differences(wide, tables["sets"])
    if gained.empty:
        raise NotApplicable(NO_PAIRS)
    return gained
