"""Exposure: how often a model saw a continuation in training. Also differences between paragraphs of equal
exposure (`data.sets.pairs`).
"""

from typing import TypeVar

import pandas as pd

Values = TypeVar("Values", pd.Series, pd.DataFrame)

NO_PAIRS = "no pairs of equal count"  # why a comparison at equal exposure does not apply


def exposure(paragraphs: pd.DataFrame) -> pd.Series:
    """Occurrences of each continuation, or of each whole paragraph where continuations are not counted."""
    return paragraphs["continuation_count"].fillna(paragraphs["count"]).astype("int64")


def paired_differences(values: Values, sets: pd.DataFrame) -> Values:
    """Memorized minus the other paragraph of each pair of equal exposure, by pair.

    `values` has a value per paragraph, by id. A pair is left out if one of its paragraphs has no value.
    """
    paired = sets[sets["pair"].notna() & sets["id"].isin(values.index)]
    memorized, others = (
        values.loc[rows["id"]].set_axis(rows["pair"].astype(int).rename("pair"))
        for rows in (paired[paired["set"] == "memorized"], paired[paired["set"] != "memorized"])
    )
    both = memorized.index.intersection(others.index).sort_values()
    return memorized.loc[both] - others.loc[both]
