"""Logistic regressions, each of which judges the paragraphs of a fold by a fit to all others."""

import numpy as np
import sklearn
from jaxtyping import Bool, Float, Int
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, StandardScaler

from memloc.detection.feature_sets import TOGETHER, Features

PENALTIES = (1e-3, 1e-2, 1e-1)  # scikit-learn's C: the inverse of the penalty's weight
FREE = 30.0  # factor on a feature whose weight should cost next to nothing


def scored(
    name: str, features: Features, label: Bool[np.ndarray, "row"], fold: Int[np.ndarray, "row"]
) -> Float[np.ndarray, "row"]:
    """Log odds of every row, by a fit to the other folds; probabilities near 0 or 1 would round."""
    return crossed(classifier(name, features), features, label, fold)


def classifier(name: str, features: Features) -> BaseEstimator:
    """A scaler and a logistic regression whose penalty is chosen on whole folds, held out of its fits.

    The penalty of a single feature is fixed, since it does not change the order of rows. In the combined set,
    the prefix NLL comes first and is next to free of the penalty, so that the others can only add to it.
    Sparse features are scaled by their largest value, which keeps them sparse.
    """
    if features.shape[1] == 1:
        return make_pipeline(StandardScaler(), LogisticRegression())
    chosen = LogisticRegressionCV(
        Cs=PENALTIES,
        cv=GroupKFold(2),
        scoring="neg_log_loss",
        solver="liblinear" if issparse(features) else "lbfgs",
        max_iter=1000,
        l1_ratios=(0,),
        use_legacy_attributes=False,
    )
    if name == TOGETHER:
        parts = [("nll", StandardScaler(), [0]), ("others", StandardScaler(), slice(1, None))]
        return make_pipeline(ColumnTransformer(parts, transformer_weights={"nll": FREE}), chosen)
    return make_pipeline(MaxAbsScaler() if issparse(features) else StandardScaler(), chosen)


def crossed(
    estimator: BaseEstimator,
    features: Features,
    label: Bool[np.ndarray, "row"],
    fold: Int[np.ndarray, "row"],
) -> Float[np.ndarray, "row"]:
    """Log odds of every row by a fit of the estimator to the other folds."""
    # Checks at each of thousands of small fits would take a third of their time.
    quick = {"assume_finite": True, "skip_parameter_validation": True}
    with sklearn.config_context(enable_metadata_routing=True, **quick):
        return cross_val_predict(
            estimator,
            features,
            label,
            cv=LeaveOneGroupOut(),
            params={"groups": fold},
            method="decision_function",
        )
