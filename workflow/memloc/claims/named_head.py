"""The place of the one head that a training names in its layer: what claims over trainings count."""

from typing import NamedTuple

import pandas as pd

from memloc.claims.verdicts import NotApplicable


class Place(NamedTuple):
    """How many of its rivals are behind a head."""

    behind: int
    rivals: int


def place_of(head: tuple[int, int], values: pd.Series) -> Place:
    """Place of a (layer, head) in its layer by the values of heads, the largest first; equal ones are ahead.

    Heads of one layer are alike, so among all heads the place would be that of the layer.

    Raises:
        NotApplicable: its value is missing, or there is no other head in its layer.
    """
    known = values[values.index.get_level_values("layer") == head[0]].dropna()
    if head not in known.index or len(known) < 2:
        raise NotApplicable("there is no other head to compare with")
    return Place(int((known < known[head]).sum()), len(known) - 1)
