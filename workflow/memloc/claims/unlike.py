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
from memloc.statistics.exact import Evidence, mean_share

Values = TypeVar("Values", pd.Series, pd.DataFrame)


def unlike(values: Values, tables: Tables, ids: pd.Series | None = None) -> Values:
    """Values of paragraphs that are not alike; their index, or `ids` by it, names the paragraphs."""
    if values.empty:
        return values
    named = values.index if ids is None else ids.loc[values.index]
    return values[alike.unlike(_tokens(named, tables))]


def rate_of_unlike(yes: pd.Series, tables: Tables) -> Evidence:
    """The share of paragraphs, named by the index, that say yes; in no draw are two alike."""
    values, each = yes.to_numpy(), np.arange(len(yes))[:, None]
    return mean_share(values[rows[:, 0]] for rows in alike.draws(_tokens(yes.index, tables), lambda _: each))


def one_of_two(yes: pd.Series, first: pd.Series, tables: Tables) -> Evidence:
    """Of random pairs of a paragraph of the `first` and one of the others, of which one alone says yes, the
    share in which it is that of the first; in no draw are texts of two pairs alike."""
    values, sides = yes.to_numpy(), [np.flatnonzero(first), np.flatnonzero(~first)]

    def unequal(random: np.random.Generator) -> np.ndarray:
        n = min(map(len, sides))
        pairs = np.stack([random.permutation(side)[:n] for side in sides], axis=1)
        return pairs[np.diff(values[pairs])[:, 0]]

    return mean_share(
        values[own] for own, _ in map(np.transpose, alike.draws(_tokens(yes.index, tables), unequal))
    )


def _tokens(ids: pd.Index | pd.Series, tables: Tables) -> np.ndarray:
    return np.array(tables["paragraphs"].set_index("id")["tokens"].loc[ids].tolist())


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
