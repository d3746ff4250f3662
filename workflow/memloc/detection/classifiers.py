"""Standardised logistic regression with an L2 penalty that is chosen on rows held out of the fit."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped
from scipy.sparse import csr_array, issparse

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

PENALTIES = (1e-3, 1e-2, 1e-1)  # sklearn's C: the inverse of the penalty's weight
SINGLE = 1.0  # C for a single feature
FREE = 30.0  # factor on features whose weights should cost next to nothing
Features = Shaped[np.ndarray, "row feature"] | csr_array


class Parts(NamedTuple):
    """Rows that a classifier is fitted to, in two halves of whole folds, and rows that it judges."""

    fitted: Int[np.ndarray, "fitted"]
    second: Bool[np.ndarray, "fitted"]  # which of these are in the second half
    judged: Int[np.ndarray, "judged"]


def logits(
    features: Features, positive: Bool[np.ndarray, "row"], parts: Parts, n_free: int = 0
) -> Float[np.ndarray, "judged"]:
    """Log odds of being positive, for the judged rows. Probabilities near 0 or 1 would round to one number.

    The penalty hardly touches the first `n_free` features, so that the others can only add to them. Sparse
    features are scaled by their largest value, which keeps them sparse. The penalty of a single feature is
    fixed, since it does not change the order of rows.
    """
    from sklearn.preprocessing import MaxAbsScaler, StandardScaler

    scaler = MaxAbsScaler() if issparse(features) else StandardScaler()
    fitted, labels = scaler.fit_transform(features[parts.fitted]), positive[parts.fitted]
    judged = scaler.transform(features[parts.judged])
    for rows in (fitted, judged) if n_free else ():
        rows[:, :n_free] *= FREE
    penalty = SINGLE if fitted.shape[1] == 1 else best_penalty(fitted, labels, parts.second)
    return _model(fitted, penalty).fit(fitted, labels).decision_function(judged)


def best_penalty(fitted: Features, labels: Bool[np.ndarray, "row"], second: Bool[np.ndarray, "row"]) -> float:
    """The penalty whose fit to the first half has the lowest loss on the second half.

    Where a half has one label only, it is the strongest one.
    """
    if any(len(np.unique(labels[half])) < 2 for half in (second, ~second)):
        return PENALTIES[0]

    def loss(penalty: float) -> float:
        logits = (
            _model(fitted, penalty).fit(fitted[~second], labels[~second]).decision_function(fitted[second])
        )
        return float(np.logaddexp(0, np.where(labels[second], -logits, logits)).mean())

    return min(PENALTIES, key=loss)


def _model(fitted: Features, penalty: float) -> "LogisticRegression":
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=penalty, solver="liblinear" if issparse(fitted) else "lbfgs", max_iter=1000)
