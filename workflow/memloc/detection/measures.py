"""How well scores tell positives from negatives, for many weightings of the rows at a time.

Each row of `weights` is one resample: how often every scored row is in it. Tests compare with scikit-learn,
which takes one weighting at a time.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

FPR = 0.01
FEWEST_FALSE = 10  # fewest negatives above a threshold that make a rate
LARGEST_FPR = 0.1
N_BINS = 10


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


def average_precision(curve: Curve) -> Float[np.ndarray, "resample"]:
    """Mean over positives of the precision at their score."""
    found = curve.positive.cumsum(axis=1)
    with np.errstate(invalid="ignore"):
        precision = found / (found + curve.negative.cumsum(axis=1))
        return np.nansum(curve.positive * precision, axis=1) / found[:, -1]


def smallest_fpr(n_negative: int) -> float | None:
    """False positive rate at which the true positive rate is given, or None if there are too few negatives.

    It is 1 %, or the share that `FEWEST_FALSE` negatives make, if that is larger.
    """
    fpr = max(FPR, FEWEST_FALSE / max(n_negative, 1))
    return fpr if fpr <= LARGEST_FPR else None


def tpr_at(curve: Curve, fpr: float) -> Float[np.ndarray, "resample"]:
    """Largest share of the positives above a threshold that no more than `fpr` of the negatives reach."""
    found, false = curve.positive.cumsum(axis=1), curve.negative.cumsum(axis=1)
    allowed = false <= fpr * false[:, -1:] + 1e-9
    with np.errstate(invalid="ignore"):
        return (found * allowed).max(axis=1) / found[:, -1]


def calibration_error(
    chances: Float[np.ndarray, "row"],
    positive: Bool[np.ndarray, "row"],
    weights: Float[np.ndarray, "resample row"],
) -> Float[np.ndarray, "resample"]:
    """Mean distance between predicted and observed shares, over tenths of the rows by prediction."""
    bin_of = tenths(chances)
    in_bin = (bin_of[:, None] == np.arange(N_BINS)).astype(float)
    distance = np.abs((weights * (chances - positive)) @ in_bin).sum(axis=1)
    return distance / weights.sum(axis=1)


def tenths(values: Float[np.ndarray, "row"]) -> Int[np.ndarray, "row"]:
    """Which tenth of the rows each is in, lowest first; equal values are in one."""
    ranks = np.searchsorted(np.sort(values), values)
    return ranks * N_BINS // len(values)
