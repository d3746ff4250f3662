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
from memloc.detection.groups import equal_pairs
from memloc.statistics.exact import Evidence, mean_share

Values = TypeVar("Values", pd.Series, pd.DataFrame)


def unlike(values: Values, tables: Tables) -> Values:
    """Values of paragraphs, named by the index, that are not alike."""
    return values[alike.unlike(_tokens(values.index, tables))]


def rate_of_unlike(yes: pd.Series, tables: Tables) -> Evidence:
    """The share of paragraphs, named by the index, that say yes; in no draw are two alike."""
    values, each = yes.to_numpy(), np.arange(len(yes))[:, None]
    return mean_share(values[rows[:, 0]] for rows in alike.draws(_tokens(yes.index, tables), lambda _: each))


def larger_of_two(
    values: pd.Series,
    first: pd.Series,
    tables: Tables,
    exposure: pd.Series | None = None,
    group: pd.Series | None = None,
) -> Evidence:
    """Of random pairs of one of the `first` paragraphs and another one (of equal `exposure`) of unequal
    values, the share in which the first one's is larger; in no draw are texts of two pairs alike, or of one
    `group`. Pairs come before copies are left out. Otherwise more copies would go from the larger side."""
    of, alone = values.to_numpy(), np.arange(len(values))
    equal = 0 * alone if exposure is None else exposure.to_numpy()
    groups = alone if group is None else group.to_numpy()

    def unequal(random: np.random.Generator) -> np.ndarray:
        pairs = equal_pairs(equal, first.to_numpy(), groups, random)
        return pairs[np.not_equal(*of[pairs.T])]

    drawn = alike.draws(_tokens(values.index, tables), unequal)
    return mean_share(np.greater(*of[pairs.T]) for pairs in drawn)


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
    sides = [side.set_index("pair")["id"] for _, side in sets.groupby(sets["set"] == "memorized")]
    return pairs[alike.unlike(*(_tokens(ids.loc[pairs.index], tables) for ids in sides))]
