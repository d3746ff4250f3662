"""Are grown and planted memories like natural ones? Classifiers of their profiles answer (2605.01699).

One is fitted to natural memories and unmemorized paragraphs, and then judges memories of every kind.
Others are fitted to natural memories and one other kind: if they tell them apart, the two are not alike.
"""

import numpy as np
import pandas as pd
import scipy
from jaxtyping import Bool, Float

from memloc.detection.groups import folds
from memloc.detection.study import Judge, Stratum, aurocs, parts_of_fold, scored
from memloc.statistics.uncertainty import MIN_N, Interval, cluster_interval, cluster_weights, holm
from memloc.tables.schemas.memory_profiles import NATURAL, NONE, numbers

NUMBERS = tuple(numbers())
PENALTIES = (0.1, 1.0, 10.0, 100.0)  # scikit-learn's C


def log_odds(profiles: pd.DataFrame, penalty: float) -> Float[np.ndarray, "paragraph"]:
    """Log odds that a paragraph is a natural memory, and not of kind none, by a fit that left it out."""
    from sklearn.linear_model import LogisticRegression

    features, positive = profiles[list(NUMBERS)].to_numpy(), (profiles["kind"] == NATURAL).to_numpy()
    known = np.flatnonzero(profiles["kind"].isin([NATURAL, NONE]))
    others, found = np.setdiff1d(np.arange(len(profiles)), known), np.empty(len(profiles))
    for judged in (others, *known[:, None]):
        fitted = np.setdiff1d(known, judged)
        rows = (features - features[fitted].mean(axis=0)) / features[fitted].std(axis=0)
        fit = LogisticRegression(C=penalty, max_iter=1000).fit(rows[fitted], positive[fitted])
        found[judged] = rows[judged] @ fit.coef_[0] + fit.intercept_
    return found


def best_penalty(profiles: pd.DataFrame, odds: dict[float, Float[np.ndarray, "paragraph"]]) -> float:
    """The penalty with the lowest loss on natural memories and paragraphs of kind none."""
    sign = profiles["kind"].map({NATURAL: 1, NONE: -1}).fillna(0).to_numpy()  # other kinds add the same
    return min(odds, key=lambda penalty: np.logaddexp(0, -sign * odds[penalty]).mean())


def told_apart(profiles: pd.DataFrame, others: Bool[pd.Series, "paragraph"]) -> Interval | None:
    """AUROC, within folds, of classifiers that tell natural memories from `others`; None if either are few.

    An interval without width would claim certainty, and is replaced by an infinite one.
    """
    rows = profiles[others | (profiles["kind"] == NATURAL)]
    natural, number = (rows["kind"] == NATURAL).to_numpy(), np.arange(len(rows))
    if min(natural.sum(), (~natural).sum()) < MIN_N:
        return None
    fold = folds(natural, number, 0)
    parts = [parts_of_fold(np.ones(len(rows), bool), fold, each, natural) for each in np.unique(fold)]
    stratum = Stratum("", natural, parts)
    scores, judged = scored("", rows[list(NUMBERS)].to_numpy(), stratum), stratum.judged
    judge = Judge(natural[judged], cluster_weights(number), stratum.folds, len(rows))
    found = cluster_interval(aurocs(scores, judge), len(rows))
    return found if found.low < found.high else found._replace(low=-np.inf, high=np.inf)  # no evidence


def differences(profiles: pd.DataFrame, others: Bool[pd.Series, "paragraph"]) -> pd.DataFrame:
    """For each number: medians of both groups, and the p-value of a rank test, corrected after Holm."""
    own, natural = profiles[others], profiles[profiles["kind"] == NATURAL]
    tests = [scipy.stats.mannwhitneyu(own[name], natural[name]).pvalue for name in NUMBERS]
    medians = {"others": own[list(NUMBERS)].median(), NATURAL: natural[list(NUMBERS)].median()}
    return pd.DataFrame({**medians, "p": holm(np.array(tests))})
