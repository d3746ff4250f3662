"""Intervals of the numbers in figures, and Holm's correction: one choice for each kind of number.

| kind | interval |
|---|---|
| share of units | `proportion`: Clopper and Pearson's, that of claims (`exact.share`) |
| mean, or difference of two groups' means | `mean`: studentised bootstrap, |t| of resampled units |
| several of these together | `simultaneous`: the largest |t| of all of them (max-T) |
| a statistic of rows in clusters | `jackknifed`: Student's t, a cluster left out at a time |
| the worth of a near-copy | percentiles of fits to `resamples` of files (`scoring/copies.py`) |

Groups may differ in spread, and values may be skewed (Hall 1992, 3.6): units are drawn within their group,
and |t| divides by the standard error of the drawn units. If units hardly vary, as at a floor, |t| has no
bound, and the interval is infinite. So is that of fewer than `MIN_N` units or clusters, of a mean of fewer
than `ENOUGH`, and of a mean without variance. Random draws have a fixed seed, so the same numbers give the
same interval.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy  # loads scipy.special, which takes a while, where it is first used
from jaxtyping import Float, Int
from pandas.api.typing import SeriesGroupBy

from memloc.statistics.exact import CONFIDENCE, Values, share

TAILS = (1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2
MIN_N = 6  # fewer units, all on one side, decide nothing
ENOUGH = 8  # units of a mean; with 6 or 7, intervals of skewed values miss in more than 7 % of the cases
N_RESAMPLES = 4_999

Group = Float[np.ndarray, "unit comparison"]


class Interval(NamedTuple):
    """A value, its 95 % interval and the number of units that it comes from."""

    value: float
    low: float
    high: float
    n: int


def table(intervals: Iterable[Interval], index: pd.Index) -> pd.DataFrame:
    """Intervals as rows of value, low, high and n; infinite ends become missing, as figures need them."""
    return pd.DataFrame(intervals, index, columns=Interval._fields).replace([-np.inf, np.inf], np.nan)


def proportion(successes: int, n: int) -> Interval:
    """Share of successes."""
    found = share(successes, n)
    low, high = found.interval(CONFIDENCE) if n >= MIN_N else (-np.inf, np.inf)
    return Interval(found.value, low, high, n)


def proportions(groups: SeriesGroupBy) -> pd.DataFrame:
    """Share of every group that is true, as in `means`."""
    return table([proportion(int(own.sum()), len(own)) for _, own in groups], groups.size().index)


def means(groups: SeriesGroupBy) -> pd.DataFrame:
    """The `mean` of every group of values with its interval, as in `table`, by the groups' keys."""
    return table([mean(values) for _, values in groups], groups.size().index)


def mean(first: Values, second: Values | None = None) -> Interval:
    """Mean of independent values, or of `first` minus `second`; missing values are left out."""
    given = [first] if second is None else [first, second]
    return simultaneous(*(np.asarray(values, float)[:, None] for values in given))[0]


def simultaneous(*groups: Group) -> list[Interval]:
    """Means of a group's columns, or of the first minus the second group's; all intervals hold together.

    An interval reaches to either side of the mean by the standard error times the 95 % quantile of the
    largest |t| of all columns, in resamples of centred values. n is the smaller group's.
    """
    sizes = np.min([np.isfinite(group).sum(axis=0) for group in groups], axis=0)
    once = [np.ones((1, len(group))) for group in groups]
    values, errors = (found[0] for found in _difference(groups, once))
    centred = [group - _means(group, one)[0] for group, one in zip(groups, once, strict=True)]
    judged = (sizes >= ENOUGH) & (errors > 0)
    widths = np.full(len(sizes), np.inf)
    if judged.any():
        largest = _resampled_t([group[:, judged] for group in centred]).max(axis=1)
        place = int(np.ceil(CONFIDENCE * (N_RESAMPLES + 1))) - 1
        widths[judged] = np.partition(largest, place)[place] * errors[judged]
    found = zip(values, values - widths, values + widths, sizes, strict=True)
    return [Interval(float(value), float(low), float(high), int(n)) for value, low, high, n in found]


def _resampled_t(groups: Sequence[Group]) -> Float[np.ndarray, "resample comparison"]:
    """|t| of resampled units of groups with mean zero."""
    values, errors = _difference(groups, resamples(N_RESAMPLES, *map(len, groups)))
    some = np.where(errors > 0, errors, 1)
    t = np.where(errors > 0, np.abs(values) / some, np.where(values == 0, 0, np.inf))
    return np.nan_to_num(t, nan=np.inf, posinf=np.inf)


@lru_cache(maxsize=4)
def resamples(n_resamples: int, *sizes: int) -> list[Float[np.ndarray, "resample unit"]]:
    """How often each resample holds every unit of groups of these sizes."""
    rng = np.random.default_rng(0)
    return [rng.multinomial(n, np.full(n, 1 / n), size=n_resamples).astype(float) for n in sizes]


def _difference(groups: Sequence[Group], times: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Mean of every column, or of the first minus the second group's, and its error, by row of `times`."""
    means, variances = zip(*(_means(*pair) for pair in zip(groups, times, strict=True)), strict=True)
    return means[0] - sum(means[1:]), np.sqrt(sum(variances))


def _means(group: Group, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean of every column and its squared error, with units counted as often as each row of `times` says."""
    known = np.isfinite(group)
    filled = np.where(known, group, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        n = times @ known.astype(float)
        means = times @ filled / n
        spread = times @ np.square(filled) / n - np.square(means)
        spread = np.where(spread > 1e-12 * np.square(filled).max(axis=0, initial=0), spread, 0)
        return means, spread / (n - 1)


def without_each(cluster: Int[np.ndarray, "row"]) -> Float[np.ndarray, "cluster row"]:
    """Weights of the rows without each cluster in turn: 0 for its own, 1 for all others."""
    return (np.unique(cluster)[:, None] != cluster).astype(float)


def jackknifed(value: float, left_out: Float[np.ndarray, "cluster"], odds: bool = False) -> Interval:
    """A statistic of rows in clusters, from its values without each cluster in turn.

    Values that are undefined, such as those without a positive, are left out. With `odds`, the interval is
    symmetric in log odds, as a statistic near 1 needs (first-order error).
    """
    n, known = len(left_out), left_out[np.isfinite(left_out)]
    error = float(np.sqrt(max(len(known) - 1, 0)) * np.std(known)) if len(known) else 0.0
    if n < MIN_N or error == 0:
        return Interval(value, -np.inf, np.inf, n)
    reach = error * float(scipy.special.stdtrit(n - 1, (1 + CONFIDENCE) / 2))
    if not odds:
        return Interval(value, value - reach, value + reach, n)
    middle, reach = scipy.special.logit(value), reach / (value * (1 - value))
    return Interval(value, *(float(scipy.special.expit(middle + side * reach)) for side in (-1, 1)), n)


def holm(p_values: Values) -> np.ndarray:
    """p-values corrected for their number (Holm 1979)."""
    given = np.asarray(p_values, float)
    order = np.argsort(given)
    stepped = np.maximum.accumulate(given[order] * np.arange(len(given), 0, -1))
    corrected = np.empty_like(given)
    corrected[order] = np.minimum(stepped, 1)
    return corrected
