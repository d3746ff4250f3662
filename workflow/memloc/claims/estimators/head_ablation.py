"""Estimators of the topic `head_ablation`: what memorized paragraphs lose without a head, and others do not.

Judged by NLL: EM ends at the first mistake, so it falls more easily where the model is less sure. Only
paragraphs that no analysis has sampled count, because those that rank heads would confirm their own choice.
"""

import pandas as pd

from memloc.claims.verdicts import Estimate
from memloc.localization.highlight import highlighted_head
from memloc.settings.base import Section
from memloc.statistics.studentised import simultaneous, studentised

Tables = dict[str, pd.DataFrame]


def highlighted_head_specific(tables: Tables, settings: Section) -> Estimate:
    """NLL that memorized paragraphs gain without the highlighted head, minus that of non-memorized ones."""
    gained = _gained(tables)
    own = highlighted_head(tables, settings)
    memorized, others = (group[own] for group in gained)
    return Estimate.of(studentised(memorized, others), len(others))


def highlighted_head_leads_its_layer(tables: Tables, settings: Section) -> Estimate:
    """NLL gained without the highlighted head minus the mean without each other one of its layer, memorized
    minus non-memorized paragraphs."""
    gained = _gained(tables)
    own = highlighted_head(tables, settings)
    in_layer = [group.loc[:, group.columns.get_level_values("layer") == own[0]] for group in gained]
    if in_layer[0].shape[1] == 1:
        return Estimate(missing="the layer has no other head")
    memorized, others = (group[own] - group.drop(columns=[own]).mean(axis=1) for group in in_layer)
    return Estimate.of(studentised(memorized, others), len(others))


def some_head_specific(tables: Tables, settings: Section) -> Estimate:
    """The specific effect that is most surely above zero; all heads' intervals allow for the search."""
    gained = _gained(tables)
    found = simultaneous(*(group.to_numpy() for group in gained))
    return Estimate.of(max(found, key=lambda interval: (interval.low, interval.value)), len(gained[1]))


def _gained(tables: Tables) -> list[pd.DataFrame]:
    """NLL gained by unseen memorized and non-memorized paragraphs (rows) without each head (layer, head)."""
    rows = tables["head_ablation"].query("replacement == 'mean'")
    by_head = rows.pivot(index=["group", "seen", "id"], columns=["layer", "head"], values="nll_gained")
    unseen = by_head[~by_head.index.get_level_values("seen")]
    groups = unseen.index.get_level_values("group")
    return [unseen[groups == name] for name in ("memorized", "non_memorized")]
