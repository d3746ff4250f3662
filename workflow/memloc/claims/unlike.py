"""Units that claims may count: paragraphs that are not alike, or pairs of which no two are alike on a side.

Code is copied: hundreds of recited paragraphs are a few dozen texts, and copies would count as evidence anew.
What is alike on opposite sides of two pairs makes their differences less alike, which is no such evidence.
"""

from typing import TypeVar

import numpy as np
import pandas as pd

from memloc.claims.verdicts import NotApplicable, Tables
from memloc.data import alike
from memloc.data.sets import NO_PAIRS, paired_differences

Values = TypeVar("Values", pd.Series, pd.DataFrame)


def unlike(values: Values, tables: Tables, ids: pd.Series | None = None) -> Values:
    """Values of paragraphs that are not alike; their index, or `ids` by it, names the paragraphs."""
    if values.empty:
        return values
    named = values.index if ids is None else ids.loc[values.index]
    return values[alike.unlike(np.stack(tables["paragraphs"].set_index("id")["tokens"].loc[named]))]


def unlike_pairs(values: Values, tables: Tables) -> Values:
    """Memorized minus the other paragraph of pairs of equal exposure; on no side are two alike.

    Raises:
        NotApplicable: there are no pairs.
    """
    pairs, sets = paired_differences(values, tables["sets"]), tables["sets"].dropna(subset="pair")
    if pairs.empty:
        raise NotApplicable(NO_PAIRS)
    for _, side in sets.groupby(sets["set"] == "memorized"):
        pairs = unlike(pairs, tables, side.set_index("pair")["id"])
    return pairs
