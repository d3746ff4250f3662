"""Intervals and tests of the numbers in figures: one choice for each kind of number.

Verdicts rest on the wider intervals of `studentised`.

| kind | interval |
|---|---|
| mean of independent values | Student's t |
| difference of two means | Welch's t |
| mean of paired differences | inverted sign-flip test, exact for few pairs (Hartigan 1969, typical values) |
| proportion | Wilson's score |
| another statistic of units | bootstrap, bias-corrected and accelerated |
| a statistic of rows in clusters | the same; whole clusters are resampled |

An interval of fewer than `MIN_N` units is infinite and decides nothing, and so is that of a mean without
variance. Random draws have a fixed seed, so the same numbers give the same interval.
"""

from collections.abc import Iterable
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy  # loads scipy.stats, which takes half a second, where it is first used
from jaxtyping import Float, Int
from pandas.api.typing import SeriesGroupBy

from memloc.statistics.exact import CONFIDENCE, Values

TAILS = (1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2
QUANTILE = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
MIN_N = 6  # the p-value of a sign-flip test of 5 pairs cannot get below 0.0625
MOST_EXACT = 12  # values of which all 4,095 subsets are enumerated
N_SUBSETS = 9_999
CLUSTER_RESAMPLES = 400
ONE_SIDED = 0.05  # if fewer resamples than this share lie on one side of the value, see `resampled`


class Interval(NamedTuple):
    """A value, its 95 % interval and the number of units that it comes from."""

    value: float
    low: float
    high: float
    n: int


def table(intervals: Iterable[Interval], index: pd.Index) -> pd.DataFrame:
    """Intervals as rows of value, low, high and n; infinite ends become missing, as figures need them."""
    found = pd.DataFrame(intervals, index, columns=Interval._fields)
    return found.replace([-np.inf, np.inf], np.nan)


def means(groups: SeriesGroupBy) -> pd.DataFrame:
    """The `mean` of every group of values with its interval, as in `table`, by the groups' keys."""
    return table([mean(values) for _, values in groups], groups.size().index)


def mean(values: Values) -> Interval:
    """Mean of independent values, with Student's t."""
    values = _finite(values)
    value, error = _mean_and_error(values)
    return _around(value, error, len(values) - 1, len(values))


def difference(first: Values, second: Values) -> Interval:
    """Mean of `first` minus mean of `second`, for independent groups (Welch); n is the smaller group's."""
    first, second = _finite(first), _finite(second)
    n = min(len(first), len(second))
    (a, error_a), (b, error_b) = _mean_and_error(first), _mean_and_error(second)
    error = float(np.hypot(error_a, error_b))
    if n < 2 or error == 0:
        return _around(a - b, error, 1, n)
    parts = error_a**4 / (len(first) - 1) + error_b**4 / (len(second) - 1)
    return _around(a - b, error, error**4 / parts, n)


def paired(differences: Values) -> Interval:
    """Mean of paired differences, with the means that a sign-flip test does not reject.

    The means of all non-empty subsets of n symmetric values cut the line into 2^n parts, each of which
    holds the centre with the same probability (Hartigan 1969). Up to `MOST_EXACT` values take all subsets,
    more values take random subsets, which keeps the probability exact.
    """
    values = _finite(differences)
    n = len(values)
    if n < MIN_N:
        return mean(values)
    means = np.sort(_subset_means(values))
    k = int((1 - CONFIDENCE) / 2 * (len(means) + 1))
    return Interval(float(values.mean()), float(means[k - 1]), float(means[-k]), n)


def proportion(successes: int, n: int) -> Interval:
    """Share of successes, with Wilson's score interval.

    It is written out, because nearly every figure needs it and loading scipy takes as long as drawing one.
    """
    if n < MIN_N:
        return Interval(successes / n if n else float("nan"), -np.inf, np.inf, n)
    share = successes / n
    middle = share + QUANTILE**2 / (2 * n)
    width = QUANTILE * np.sqrt(share * (1 - share) / n + (QUANTILE / (2 * n)) ** 2)
    low, high = ((middle + side * width) / (1 + QUANTILE**2 / n) for side in (-1, 1))
    # At shares of 0 and 1 rounding may put an end beyond the share.
    return Interval(share, min(share, max(0.0, float(low))), max(share, min(1.0, float(high))), n)


def resampled(value: float, drawn: np.ndarray, left_out: np.ndarray) -> Interval:
    """Interval of a statistic by the bias-corrected and accelerated bootstrap (Efron 1987).

    `drawn` has its values on resampled units, `left_out` its values without each unit in turn.

    Units that are drawn twice enlarge noise, which lowers a correlation in nearly every resample. The
    bootstrap cannot correct that. If nearly all resamples are on one side of the value, the interval is the
    jackknife's.
    """
    found = jackknife(value, left_out)
    one_sided = not ONE_SIDED <= _share_below(drawn, value) <= 1 - ONE_SIDED
    if len(left_out) < MIN_N or (np.std(left_out) > 0 and one_sided):
        return found
    low, high = np.quantile(drawn, _corrected(drawn, value, left_out))
    # All resamples of a maximum, say, may lie on one side; the interval still holds its value.
    return Interval(value, min(float(low), value), max(float(high), value), len(left_out))


def jackknife(value: float, left_out: np.ndarray) -> Interval:
    """Interval of a statistic from its values without each unit in turn, with Student's t (Tukey 1958)."""
    n = len(left_out)
    error = float(np.sqrt(n - 1) * np.std(left_out)) if n else 0.0
    return _around(value, error, n - 1, n)


def cluster_weights(
    cluster: Int[np.ndarray, "row"], n_resamples: int = CLUSTER_RESAMPLES
) -> Float[np.ndarray, "resample row"]:
    """Weights of each row: first 1, then in resamples of the clusters, then without each cluster in turn."""
    number = np.unique(cluster, return_inverse=True)[1]
    n = number.max() + 1
    drawn = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), size=n_resamples)
    times = np.concatenate([np.ones((1, n)), drawn, 1 - np.eye(n)])
    return times[:, number]


def cluster_interval(values: Float[np.ndarray, "resample"], n_clusters: int) -> Interval:
    """Interval of a statistic whose values under each row of `cluster_weights` are given (see `resampled`).

    Resamples in which the statistic is undefined, such as those without a positive, are left out. The
    interval of fewer than six clusters is infinite.
    """
    value, drawn, left_out = float(values[0]), values[1:-n_clusters], values[-n_clusters:]
    drawn, left_out = drawn[np.isfinite(drawn)], left_out[np.isfinite(left_out)]
    if n_clusters < MIN_N or len(drawn) < 2:
        return Interval(value, -np.inf, np.inf, n_clusters)
    return resampled(value, drawn, left_out)._replace(n=n_clusters)


def holm(p_values: Values) -> np.ndarray:
    """p-values corrected for their number (Holm 1979)."""
    given = np.asarray(p_values, float)
    order = np.argsort(given)
    stepped = np.maximum.accumulate(given[order] * np.arange(len(given), 0, -1))
    corrected = np.empty_like(given)
    corrected[order] = np.minimum(stepped, 1)
    return corrected


def _finite(values: Values) -> np.ndarray:
    found = np.asarray(values, float)
    return found[np.isfinite(found)]


def _mean_and_error(values: np.ndarray) -> tuple[float, float]:
    if len(values) < 2:
        return float(values.mean()) if len(values) else float("nan"), 0.0
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))


def _around(value: float, error: float, freedom: float, n: int) -> Interval:
    if n < MIN_N or error == 0:
        return Interval(value, -np.inf, np.inf, n)
    width = error * float(scipy.special.stdtrit(freedom, (1 + CONFIDENCE) / 2))
    return Interval(value, value - width, value + width, n)


def _subset_means(values: np.ndarray) -> np.ndarray:
    """Means of all non-empty subsets of few values, of random ones of many."""
    n = len(values)
    if n <= MOST_EXACT:
        chosen = ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)[1:]
    else:
        chosen = np.random.default_rng(0).integers(2, size=(N_SUBSETS, n))
        chosen[~chosen.any(axis=1), 0] = 1
    return chosen @ values / chosen.sum(axis=1)


def _share_below(drawn: np.ndarray, value: float) -> float:
    """Share of resamples below the value; equal ones count half."""
    return float(np.mean(drawn < value) + np.mean(drawn <= value)) / 2


def _corrected(drawn: np.ndarray, value: float, left_out: np.ndarray) -> np.ndarray:
    """The shares `TAILS`, corrected for the bootstrap's bias and for the acceleration of the jackknife."""
    bias = scipy.special.ndtri(np.clip(_share_below(drawn, value), 1 / len(drawn), 1 - 1 / len(drawn)))
    away = left_out.mean() - left_out
    spread = np.sum(away**2) ** 1.5
    acceleration = np.sum(away**3) / (6 * spread) if spread > 0 else 0.0
    shifted = bias + scipy.special.ndtri(np.array(TAILS))
    # If the statistic hardly varies, the acceleration would turn the tail around.
    room = np.maximum(1 - acceleration * shifted, np.finfo(float).eps)
    return scipy.special.ndtr(bias + shifted / room)
