"""Estimators of the topic `head_ablation`: what memorized paragraphs lose without a head, and others do not.

Judged by NLL: EM ends at the first mistake, so it falls more easily where the model is less sure. Only
paragraphs that no analysis has sampled count, because those that rank heads would confirm their own choice.
"""

import pandas as pd

from memloc.claims.verdicts import Estimate
from memloc.localization.highlight import highlighted_head
from memloc.settings.base import Section
from memloc.statistics import uncertainty

Tables = dict[str, pd.DataFrame]


def highlighted_head_specific(tables: Tables, settings: Section, replacement: str) -> Estimate:
    """NLL that memorized paragraphs gain without the highlighted head, minus that of non-memorized ones."""
    gained = _gained(tables, replacement)
    if gained is None:
        return _not_run(replacement)
    own = highlighted_head(tables, settings)
    judged = (gained[group][own] for group in ("memorized", "non_memorized"))
    return Estimate.of(uncertainty.difference(*judged))


def highlighted_head_leads(
    tables: Tables, settings: Section, replacement: str, in_layer: bool = False
) -> Estimate:
    """NLL that memorized paragraphs gain without the highlighted head, minus the mean without each other one,
    of all layers or of its own."""
    gained = _gained(tables, replacement)
    if gained is None:
        return _not_run(replacement)
    own, memorized = highlighted_head(tables, settings), gained["memorized"]
    others = memorized.drop(columns=[own])
    if in_layer:
        others = others.loc[:, others.columns.get_level_values("layer") == own[0]]
    if others.empty:
        return Estimate(missing="the layer has no other head")
    return Estimate.of(uncertainty.paired(memorized[own] - others.mean(axis=1)))


def some_head_specific(tables: Tables, settings: Section, replacement: str) -> Estimate:
    """The specific effect that is most surely above zero; all heads' intervals allow for the search."""
    gained = _gained(tables, replacement)
    if gained is None:
        return _not_run(replacement)
    judged = (gained[group].to_numpy() for group in ("memorized", "non_memorized"))
    found = uncertainty.simultaneous_differences(*judged)
    return Estimate.of(max(found, key=lambda interval: (interval.low, interval.value)))


def _gained(tables: Tables, replacement: str) -> dict[str, pd.DataFrame] | None:
    """NLL gained by the unseen paragraphs (rows) of each group without each head (columns: layer, head)."""
    rows = tables["head_ablation"].query("replacement == @replacement")
    if rows.empty:
        return None
    by_head = rows.pivot(index=["group", "seen", "id"], columns=["layer", "head"], values="nll_gained")
    unseen = by_head[~by_head.index.get_level_values("seen")]
    groups = unseen.index.get_level_values("group")
    return {name: unseen[groups == name] for name in ("memorized", "non_memorized")}


def _not_run(replacement: str) -> Estimate:
    return Estimate(missing=f"heads were not ablated by {replacement}: see head_ablation.replacements")
