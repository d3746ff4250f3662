"""Estimators of the topic `head_ablation`: what memorized paragraphs lose without a head, and others do not.

Memorized paragraphs are compared with others that occur equally often (pairs), by NLL: EM ends at the first
mistake, so it falls more easily where the model is less sure. Methods choose a head on some of the same
paragraphs, so intervals hold for all heads together; nothing chose a configured head.
"""

import pandas as pd

from memloc.claims.verdicts import Estimate
from memloc.data.exposure import NO_PAIRS, paired_differences
from memloc.localization.highlight import highlighted_head
from memloc.settings.base import Section
from memloc.statistics.studentised import simultaneous, studentised
from memloc.tables.judged_texts import PAIRED

Tables = dict[str, pd.DataFrame]


def highlighted_head_specific(tables: Tables, settings: Section) -> Estimate:
    """NLL that memorized paragraphs gain without the highlighted head, minus that of the others."""
    return _of_highlighted(_gained(tables), tables, settings)


def highlighted_head_leads_its_layer(tables: Tables, settings: Section) -> Estimate:
    """The same minus the mean without each other head of its layer."""
    gained = _gained(tables)
    n_heads = gained.columns.get_level_values("head").nunique()
    if n_heads == 1:
        return Estimate(missing="the layer has no other head")
    all_heads = gained.T.groupby("layer").transform("sum").T
    return _of_highlighted(gained - (all_heads - gained) / (n_heads - 1), tables, settings)


def some_head_specific(tables: Tables, settings: Section) -> Estimate:
    """The specific effect that is most surely above zero."""
    gained = _gained(tables)
    if gained.empty:
        return Estimate(missing=NO_PAIRS)
    return Estimate.of(max(simultaneous(gained.to_numpy()), key=lambda found: (found.low, found.value)))


def _of_highlighted(values: pd.DataFrame, tables: Tables, settings: Section) -> Estimate:
    """Mean over pairs (rows) of the highlighted head's values (columns: layer, head)."""
    head = highlighted_head(tables, settings)
    if values.empty:
        return Estimate(missing=NO_PAIRS)
    if settings.highlight != "auto":
        return Estimate.of(studentised(values[head]))
    return Estimate.of(simultaneous(values.to_numpy())[values.columns.get_loc(head)])


def _gained(tables: Tables) -> pd.DataFrame:
    """NLL gained without each head (columns: layer, head), memorized minus the other paragraph, by pair."""
    table = tables["head_ablation"]
    rows = table[(table["group"] == PAIRED) & (table["replacement"] == "mean")]
    wide = rows.pivot(index="id", columns=["layer", "head"], values="nll_gained")
    return paired_differences(wide, tables["sets"])
