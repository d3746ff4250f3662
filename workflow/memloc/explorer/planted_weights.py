"""Ranks of heads in which a method counts by how well it finds heads that paragraphs were planted in."""

import pandas as pd

from memloc.tables.terms import PLANT_GRANULARITIES

# What table planted_truth calls the methods of table head_ranking.
ASKED_AS = {
    "parameter_gradient": "gradient_largest",
    "activation_gradient": "activation_gradient",
    "rare_tokens": "rare_tokens",
    "patching": "patching",
}
HEAD_KINDS = [kind for kind, units in PLANT_GRANULARITIES.items() if units[0] == "head"]


def method_weights(planted_truth: pd.DataFrame) -> pd.Series:
    """Mean average precision of each method over plants in heads; methods that were not asked have none."""
    rows = planted_truth[
        planted_truth["kind"].isin(HEAD_KINDS)
        & (planted_truth["granularity"] == "head")
        & (planted_truth["control"] == "plant")
        & planted_truth["criterion"]
    ]
    found = rows.groupby("method")["average_precision"].mean()
    return pd.Series({name: found[asked] for name, asked in ASKED_AS.items() if asked in found}, dtype=float)


def weighted_ranks(head_ranking: pd.DataFrame, weights: pd.Series) -> pd.DataFrame:
    """Mean rank of each head (layer, head, rank) over the methods, each with its weight."""
    ranks = head_ranking.pivot(index=["layer", "head"], columns="method", values="rank")[weights.index]
    return (ranks @ weights / weights.sum()).rename("rank").reset_index()
