"""Estimators of the topic `planted_truth`: which methods find a paragraph where it was planted.

By the units that a kind of place is made of (heads, neurons), at the criterion's level of the NLL.
"""

import math

import pandas as pd

from memloc.claims.verdicts import Estimate
from memloc.settings.base import Section
from memloc.settings.plant_kinds import PLANT_GRANULARITIES
from memloc.statistics import uncertainty

Tables = dict[str, pd.DataFrame]


def finds(
    tables: Tables, settings: Section, method: str, kind: str, most_damage: float = math.inf
) -> Estimate:
    """Average precision of a method for the plants minus that for their unplanted twins, paired by plant.

    A method that names the same units whatever is planted has as much of both. Plants that raise the NLL of
    held-out text by more than the share `most_damage` do not count.
    """
    scores = _scores(tables, kind, "average_precision", "method == @method", method)
    if scores is None or not {("plant", method), ("twin", method)} <= set(scores):
        return _not_asked(method, kind)
    gained = scores["plant", method] - scores["twin", method]
    plants = tables["plants"].query("reached and kind == @kind").set_index("plant")
    harmless = plants["nll_held_out"] / plants["nll_held_out_before"] - 1 <= most_damage
    return Estimate.of(uncertainty.paired(gained[harmless.reindex(gained.index)]))


def finds_more(tables: Tables, settings: Section, method: str, rival: str, kind: str) -> Estimate:
    """Recall (as many units as the place has) of a method minus that of a rival, paired by plant."""
    scores = _scores(tables, kind, "recall_1", "control == 'plant'", method)
    if scores is None or not {("plant", method), ("plant", rival)} <= set(scores):
        return _not_asked(f"{method} or {rival}", kind)
    return Estimate.of(uncertainty.paired(scores["plant", method] - scores["plant", rival]))


def _scores(tables: Tables, kind: str, value: str, chosen: str, method: str) -> pd.DataFrame | None:
    """A value by plant (rows), control and method (columns); nothing where no such plant was asked about."""
    if "planted_truth" not in tables:
        return None
    rows = tables["planted_truth"].query("criterion and kind == @kind").query(chosen)
    rows = rows[rows["granularity"] == PLANT_GRANULARITIES[kind][0]]
    return rows.pivot(index="plant", columns=["control", "method"], values=value) if len(rows) else None


def _not_asked(method: str, kind: str) -> Estimate:
    return Estimate(
        missing=f"{method} was not asked about plants of kind {kind}: see the section planted_truth"
    )
