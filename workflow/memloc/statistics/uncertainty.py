"""Intervals and tests: one choice for each kind of number, used by claims and by figures.

| kind | interval |
|---|---|
| mean of independent values | Student's t |
| difference of two means | Welch's t |
| mean of paired differences | inverted sign-flip test, exact for few pairs (Hartigan 1969, typical values) |
| proportion | Wilson's score |
| difference of two proportions | Newcombe's, from Wilson's |
| probability that one group's value is larger (AUROC) | Newcombe's score (2006, method 5) |
| correlation, or another statistic of paragraphs | bootstrap, bias-corrected and accelerated |
| how far the largest of several means leads | found on half of the units, judged on the others (`lead`) |
| the same of what only parts of the units have | found outside of each part, judged on it (`lead_of_parts`) |
| several differences of two means | simultaneous: permuted largest t (max-T, Westfall and Young 1993) |
| several means over the same units | simultaneous: largest t of flipped signs (max-T) |
| one against each of several others | the reach of all their intervals |

An interval of fewer than `MIN_N` units is infinite: it decides nothing. Random draws have a fixed seed, so
that the same numbers give the same interval.
"""

from collections.abc import Callable, Iterable, Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy  # loads scipy.stats, which takes half a second, where it is first used

from memloc.statistics.row_correlations import row_kendall, row_pearson, row_spearman
from memloc.statistics.small_samples import CHUNK, MOST_EXACT, N_FLIPS, signs, subset_means

CONFIDENCE = 0.95
QUANTILE = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
MIN_N = 6  # a sign-flip test of 5 pairs cannot get below 0.0625
N_RESAMPLES = 2_000
ONE_SIDED = 0.05  # smaller shares of resamples on one side of the value say little about its error
N_ORDERS = 5_040  # orders of 7 pairs: up to there all are tried
EDGE = 1e-12  # a probability this near to 0 or 1 counts as 0 or 1

Values = np.ndarray | pd.Series


class Interval(NamedTuple):
    """A value, its 95 % interval and the number of units that it comes from."""

    value: float
    low: float
    high: float
    n: int


def table(intervals: Iterable[Interval], index: pd.Index) -> pd.DataFrame:
    """Intervals as rows of value, low, high and n; infinite ends are missing, as what is drawn takes them."""
    found = pd.DataFrame(intervals, index, columns=Interval._fields)
    return found.replace([-np.inf, np.inf], np.nan)


def mean(values: Values) -> Interval:
    """Mean of independent values, with Student's t."""
    values = _finite(values)
    value, error = _mean_and_error(values)
    return _around(value, error, len(values) - 1, len(values))


def difference(first: Values, second: Values) -> Interval:
    """Mean of `first` minus that of `second`, of independent groups (Welch); n is the smaller."""
    first, second = _finite(first), _finite(second)
    n = min(len(first), len(second))
    (a, error_a), (b, error_b) = _mean_and_error(first), _mean_and_error(second)
    error = float(np.hypot(error_a, error_b))
    if n < 2 or error == 0:
        return _around(a - b, error, 1, n)
    parts = error_a**4 / (len(first) - 1) + error_b**4 / (len(second) - 1)
    return _around(a - b, error, error**4 / parts, n)


def paired(differences: Values) -> Interval:
    """Mean of paired differences, with the interval that a sign-flip test does not reject.

    The means of all non-empty subsets of n symmetric values cut the line into 2^n parts, each of which
    holds the centre with the same probability (Hartigan 1969). Up to `MOST_EXACT` values take all subsets,
    more values take random ones, which keeps the probability exact.
    """
    values = _finite(differences)
    n = len(values)
    if n < MIN_N:
        return _undecided(values)
    means = np.sort(subset_means(values))
    k = int((1 - CONFIDENCE) / 2 * (len(means) + 1))
    return Interval(float(values.mean()), float(means[k - 1]), float(means[-k]), n)


def proportion(successes: int, n: int) -> Interval:
    """Share of successes, with Wilson's score interval.

    It is written out: nearly every figure needs it, and loading scipy takes as long as drawing one.
    """
    if n < MIN_N:
        return Interval(successes / n if n else float("nan"), -np.inf, np.inf, n)
    share = successes / n
    middle = share + QUANTILE**2 / (2 * n)
    width = QUANTILE * np.sqrt(share * (1 - share) / n + (QUANTILE / (2 * n)) ** 2)
    low, high = ((middle + side * width) / (1 + QUANTILE**2 / n) for side in (-1, 1))
    # At shares of 0 and 1 rounding may put an end beyond the share.
    return Interval(share, min(share, max(0.0, float(low))), max(share, min(1.0, float(high))), n)


def proportion_difference(first: Interval, second: Interval) -> Interval:
    """Difference of two independent proportions (of `proportion`), Newcombe's interval; n is the smaller."""
    value, n = first.value - second.value, min(first.n, second.n)
    if n < MIN_N:
        return Interval(value, -np.inf, np.inf, n)
    below = np.hypot(first.value - first.low, second.high - second.value)
    above = np.hypot(first.high - first.value, second.value - second.low)
    return Interval(value, float(value - below), float(value + above), n)


def auroc(first: Values, second: Values) -> Interval:
    """Probability that a value of `first` exceeds one of `second`, ties count half; n is the smaller group's.

    The ends are the probabilities whose standard error, multiplied by the normal quantile, just reaches the
    found one (Newcombe 2006, doi 10.1002/sim.2324), so they stay within 0 and 1 and hold near them too.
    """
    first, second = _finite(first), _finite(second)
    sizes = (len(first), len(second))
    if not min(sizes):
        return Interval(float("nan"), -np.inf, np.inf, 0)
    ranks = pd.Series(np.concatenate([first, second])).rank()[: sizes[0]]
    value = float((ranks.sum() / sizes[0] - (sizes[0] + 1) / 2) / sizes[1])
    if min(sizes) < MIN_N:
        return Interval(value, -np.inf, np.inf, min(sizes))

    def outside(probability: float) -> float:
        return (value - probability) ** 2 - QUANTILE**2 * _auroc_variance(probability, *sizes)

    # At 0 and 1 themselves the error is zero, which is no end of an interval.
    low = scipy.optimize.brentq(outside, 0, min(value, 1 - EDGE)) if value > 0 else 0.0
    high = scipy.optimize.brentq(outside, max(value, EDGE), 1) if value < 1 else 1.0
    return Interval(value, float(low), float(high), min(sizes))


def bootstrap(n: int, statistic: Callable[[np.ndarray], float], n_resamples: int = N_RESAMPLES) -> Interval:
    """A statistic of n resampled units, with the bias-corrected and accelerated bootstrap (Efron 1987).

    `statistic` takes an array of indices of units, in which some occur more than once, and returns a number.
    """
    return _bootstrap(n, lambda rows: np.array([statistic(units) for units in rows], float), n_resamples)


def resampled(value: float, drawn: np.ndarray, left_out: np.ndarray) -> Interval:
    """Interval of `bootstrap` from a statistic's values on resampled units, and without each unit in turn.

    Units drawn twice enlarge noise, which lowers a correlation in nearly every resample. The bootstrap cannot
    correct that: where nearly all resamples are on one side of the value, the interval is the jackknife's.
    """
    n = len(left_out)
    error = float(np.sqrt(n - 1) * np.std(left_out)) if n else 0.0
    if n < MIN_N or (error > 0 and not ONE_SIDED <= _share_below(drawn, value) <= 1 - ONE_SIDED):
        return _around(value, error, n - 1, n)
    tails = np.array([(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    low, high = np.quantile(drawn, _corrected(tails, drawn, value, left_out))
    # Of a maximum, say, all resamples may lie on one side: the interval still holds its value.
    return Interval(value, min(float(low), value), max(float(high), value), n)


def correlation(first: Values, second: Values, method: str = "pearson") -> Interval:
    """Correlation of two paired series (pearson, spearman or kendall), with a bootstrap of the pairs.

    Pairs with a missing value are left out. A series whose values are all the same has no correlation: 0.
    """
    pairs = np.stack([np.asarray(first, float), np.asarray(second, float)])
    a, b = pairs[:, np.isfinite(pairs).all(axis=0)]
    of_rows = {"pearson": row_pearson, "spearman": row_spearman, "kendall": row_kendall}[method]
    return _bootstrap(len(a), lambda rows: of_rows(a[rows], b[rows]), N_RESAMPLES)


def correlation_p(first: Values, second: Values) -> float:
    """Two-sided p-value of the Pearson correlation of two paired series, when the pairs are permuted.

    All orders of few pairs (up to 7), else a sample of them.
    """
    permuted = scipy.stats.PermutationMethod(n_resamples=N_ORDERS, rng=np.random.default_rng(0))
    return float(scipy.stats.pearsonr(first, second, method=permuted).pvalue)


def welch_p(first: Values, second: Values) -> float:
    """Two-sided p-value of Welch's t test of two independent groups; 1 if either has fewer than `MIN_N`."""
    first, second = _finite(first), _finite(second)
    if min(len(first), len(second)) < MIN_N:
        return 1.0
    if not np.ptp(first) and not np.ptp(second):
        return float(first[0] == second[0])
    return float(scipy.stats.ttest_ind(first, second, equal_var=False).pvalue)


def sign_flip_p(differences: Values) -> float:
    """Two-sided p-value of a sign-flip test of paired differences against a mean of zero."""
    values = _finite(differences)
    if not len(values) or not values.any():
        return 1.0
    flipped = np.abs(signs(len(values)) @ values)
    return _share_at_least(flipped, abs(values.sum()), exact=len(values) <= MOST_EXACT)


def lead(values: np.ndarray, groups: np.ndarray, group: int | None = None) -> Interval:
    """By how much the largest of several means leads those of other groups, by units that did not choose it.

    If a `group` is given, the largest mean of that group.


    `values` [units, candidates], each candidate of one of the `groups` [candidates]: units 0, 2, .. choose
    the candidate and its rival, the largest of another group. Of the other units come the mean difference of
    these two, the high end of its interval, and as low end the lowest of those to all candidates of other
    groups: the candidate leads only if it is above each of them, so that no correction is needed (an
    intersection-union test).

    Raises:
        ValueError: all candidates are of one group.
    """
    choosing = values[::2].mean(axis=0) if len(values) else np.zeros(len(groups))
    candidates = np.arange(len(groups)) if group is None else np.flatnonzero(groups == group)
    chosen = int(candidates[choosing[candidates].argmax()])
    others = np.flatnonzero(groups != groups[chosen])
    if not len(others):
        raise ValueError("a lead needs candidates of at least two groups")
    rival = int(others[choosing[others].argmax()])
    judging = values[1::2]
    behind = {int(other): paired(judging[:, chosen] - judging[:, other]) for other in others}
    return behind[rival]._replace(low=min(interval.low for interval in behind.values()))


def lead_of_parts(leads: np.ndarray, behind: np.ndarray) -> Interval:
    """By how much what was found outside of each part leads on the part; low end: the lowest of all rivals'.

    `leads` [part] are those over the rival, which was found in the same way. It was chosen because it is
    strong outside of the part, so it tends to be weak on the part, and these leads alone are too large.
    `behind` [part, candidate] therefore has the leads over all candidates, NaN for the found one itself.
    """
    rivals = behind[:, ~np.isnan(behind).all(axis=0)]
    lows = (mean(rival).low for rival in np.nan_to_num(rivals).T)
    found = mean(leads)
    return found._replace(low=min(found.low, *lows))


def simultaneous_differences(first: np.ndarray, second: np.ndarray) -> list[Interval]:
    """Differences of two independent groups' means, with intervals that all hold together (max-T).

    Both are [units, comparisons]. Intervals are as many standard errors (Welch) wide as the largest |t| of
    any comparison reaches in 95 % of the permutations of the units among the groups.
    """
    n, sizes = len(first), min(len(first), len(second))
    if sizes < MIN_N:
        return [difference(*pair) for pair in zip(first.T, second.T, strict=True)]
    values = np.concatenate([first, second]).astype(float)
    differences = first.mean(axis=0) - second.mean(axis=0)
    values -= values.mean(axis=0)
    members = (np.arange(len(values)) < n).astype(float)
    rng, rows, largest = np.random.default_rng(0), max(1, CHUNK // values.shape[1]), []
    for done in range(0, N_FLIPS, rows):
        drawn = rng.permuted(np.tile(members, (min(rows, N_FLIPS - done), 1)), axis=1)
        means, errors = _means_and_errors(drawn, values)
        largest.append(np.abs(means / errors).max(axis=1))
    most = np.sort(np.concatenate(largest))[int(np.ceil(CONFIDENCE * (N_FLIPS + 1))) - 1]
    widths = most * _means_and_errors(members[None], values)[1][0]
    found = zip(differences, differences - widths, differences + widths, strict=True)
    return [Interval(*map(float, ends), sizes) for ends in found]


def simultaneous_means(values: np.ndarray) -> list[Interval]:
    """Means over the same units, with intervals that all hold together, whichever is looked at (max-T).

    `values` [units, comparisons]; missing ones are left out. Intervals are as many standard errors wide as
    the largest |t| of any comparison reaches in 95 % of the flips of the signs of whole units' deviations
    from the means, and no narrower than `mean`'s.
    """
    alone = [mean(column) for column in values.T]
    flips = signs(len(values))
    largest = np.zeros(len(flips))
    for column, interval in zip(values.T, alone, strict=True):
        if interval.n >= MIN_N:
            largest = np.maximum(largest, _flipped_t(column, flips))
    most = np.sort(largest)[int(np.ceil(CONFIDENCE * len(flips))) - 1]
    found = []
    for column, interval in zip(values.T, alone, strict=True):
        width = most * _mean_and_error(_finite(column))[1]
        low, high = interval.value - width, interval.value + width
        found.append(interval._replace(low=min(interval.low, low), high=max(interval.high, high)))
    return found


def covering(intervals: Sequence[Interval]) -> Interval:
    """The interval that covers all of these, of one case against each of several others, and their mean.

    It lies above zero only where each of them does, so it allows for the others being a sample.
    """
    values, lows, highs, sizes = zip(*intervals, strict=True)
    return Interval(float(np.mean(values)), min(lows), max(highs), min(sizes))


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
    if n < MIN_N:
        return Interval(value, -np.inf, np.inf, n)
    width = error * float(scipy.special.stdtrit(freedom, (1 + CONFIDENCE) / 2))
    return Interval(value, value - width, value + width, n)


def _auroc_variance(probability: float, n: int, m: int) -> float:
    """Variance of an estimated AUROC: Hanley and McNeil's, with both groups' mean size (Newcombe 2006)."""
    size, other = (n + m) / 2 - 1, 1 - probability
    spread = 1 + size * other / (1 + other) + size * probability / (1 + probability)
    return probability * other * spread / (n * m)


def _undecided(values: np.ndarray) -> Interval:
    return Interval(float(values.mean()) if len(values) else float("nan"), -np.inf, np.inf, len(values))


def _means_and_errors(members: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Difference of every column's means, members (1) minus others (0) of each row, and its error."""
    n, squares = members.sum(axis=1, keepdims=True), np.square(values)
    means, variances = [], []
    for chosen, size in ((members, n), (1 - members, len(values) - n)):
        means.append(chosen @ values / size)
        variances.append((chosen @ squares / size - np.square(means[-1])) / (size - 1))
    return means[0] - means[1], np.sqrt(np.maximum(sum(variances), np.finfo(float).tiny))


def _flipped_t(values: np.ndarray, flips: np.ndarray) -> np.ndarray:
    """|t| of the deviations from the mean when their signs are flipped; 0 where nothing varies."""
    known = np.isfinite(values)
    deviations = values[known] - values[known].mean()
    if not np.ptp(deviations):
        return np.zeros(len(flips))
    means = flips[:, known] @ deviations / len(deviations)
    variances = (np.mean(deviations**2) - means**2) / (len(deviations) - 1)
    return np.abs(means) / np.sqrt(np.maximum(variances, np.finfo(float).tiny))


def _share_at_least(drawn: np.ndarray, value: float, exact: bool) -> float:
    """Share of random values that reach one; of a sample, the value itself counts too."""
    reach = np.sum(drawn >= value - 1e-12 * max(1.0, abs(value)))
    return float(reach / len(drawn)) if exact else float((reach + 1) / (len(drawn) + 1))


def _bootstrap(n: int, of_rows: Callable[[np.ndarray], np.ndarray], n_resamples: int) -> Interval:
    """`of_rows` takes rows of indices of units and returns a number for each."""
    units = np.arange(n)
    value = float(of_rows(units[None])[0]) if n else float("nan")
    if n < MIN_N:
        return Interval(value, -np.inf, np.inf, n)
    rng, at_once = np.random.default_rng(0), max(1, CHUNK // n)
    sizes = [min(at_once, n_resamples - done) for done in range(0, n_resamples, at_once)]
    drawn = np.concatenate([of_rows(rng.integers(n, size=(size, n))) for size in sizes])
    left_out = np.concatenate([of_rows(np.delete(units, unit)[None]) for unit in units])
    return resampled(value, drawn, left_out)


def _share_below(drawn: np.ndarray, value: float) -> float:
    """Share of resamples below the value; equal ones count half."""
    return float(np.mean(drawn < value) + np.mean(drawn <= value)) / 2


def _corrected(tails: np.ndarray, drawn: np.ndarray, value: float, left_out: np.ndarray) -> np.ndarray:
    """The bootstrap's quantiles, moved by its bias and by the acceleration of the jackknife."""
    bias = scipy.special.ndtri(np.clip(_share_below(drawn, value), 1 / len(drawn), 1 - 1 / len(drawn)))
    away = left_out.mean() - left_out
    spread = np.sum(away**2) ** 1.5
    acceleration = np.sum(away**3) / (6 * spread) if spread > 0 else 0.0
    shifted = bias + scipy.special.ndtri(tails)
    # Where the statistic hardly varies, the acceleration would turn the tail around.
    room = np.maximum(1 - acceleration * shifted, np.finfo(float).eps)
    return scipy.special.ndtr(bias + shifted / room)
