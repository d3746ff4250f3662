"""How well scores tell positives from negatives, for many weightings of the rows at a time.

Each row of `weights` is one resample: how often every scored row is in it. Tests compare with scikit-learn,
which takes one weighting at a time.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float


class Curve(NamedTuple):
    """Weights of positives and of negatives at each different score, highest first."""

    positive: Float[np.ndarray, "resample score"]
    negative: Float[np.ndarray, "resample score"]


def curve(
    scores: Float[np.ndarray, "row"],
    positive: Bool[np.ndarray, "row"],
    weights: Float[np.ndarray, "resample row"],
) -> Curve:
    """Rows of equal scores together."""
    order = np.argsort(-scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=np.nan) != 0)
    weights, positive = weights[:, order], positive[order]
    both = (np.add.reduceat(weights * chosen, starts, axis=1) for chosen in (positive, ~positive))
    return Curve(*both)


def auroc(folds: Sequence[Curve]) -> Float[np.ndarray, "resample"]:
    """Probability that a positive has a higher score than a negative of its fold, ties count half.

    Probabilities of different fits are not compared: a fold with more positives than others leaves fewer to
    its fit, whose probabilities are then all lower. An AUROC over all folds would lie below 0.5 by chance.
    """
    above, pairs = 0, 0
    for positive, negative in folds:
        below = negative.sum(axis=1, keepdims=True) - negative.cumsum(axis=1) + negative / 2
        above = above + (positive * below).sum(axis=1)
        pairs = pairs + positive.sum(axis=1) * negative.sum(axis=1)
    with np.errstate(invalid="ignore"):
        return above / pairs
