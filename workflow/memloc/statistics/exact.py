"""Exact tests of claims: on which side of a bound do units lie?

| kind | units | under the bound |
|---|---|---|
| `share` | paragraphs, or pairs: yes or no | each is a yes with this chance |
| `median` | a value each, of whatever distribution | each lies above the median with chance one half |
| `among` | one ranking among random ones | it is one of them, shifted by the bound |
| `mean_rank` | a place each, among several | each place is as likely, shifted by the bound |
| `pairings` | all pairings of two groups: yes or no | as independent pairs of the same error |

Shares and medians have binomial tests. Their intervals are what these tests do not reject: Clopper and
Pearson's, and the order statistics (`scipy.stats.quantile_test`). They need no assumption on the spread of
values or their skew, so they hold the true value at every level at least as often as they promise, from the
first n that can decide anything. Independent groups are compared pair by pair (`at_random`); all `pairings`
of them rest on an estimated error, and on simulations.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy
from jaxtyping import Float

CONFIDENCE = 0.95
ENOUGH = 50  # pairings that share no value, from which on the error of all pairings is known
MOST_UNITS = 10**6  # the largest number of units that `needed` tries
ROUNDING = 1e-9

Values = np.ndarray | pd.Series | Sequence[float]


class Tail(NamedTuple):
    """Evidence for one side of a bound: the chance of as much of it at the bound.

    `share` of the units lie on this side; at the bound, at most `chance` of them do.
    """

    p: float
    share: float = 0.0
    chance: float = 1.0

    def needed(self, level: float) -> float:
        """Units of which such a share would be enough at a level (one-sided); infinite if none are."""
        if self.share <= self.chance:
            return np.inf
        n = np.unique(np.geomspace(1, MOST_UNITS, 2_000).astype(int))
        enough = _upper(np.floor(self.share * n + ROUNDING), n, self.chance) <= level
        return float(n[enough][0]) if enough.any() else np.inf


@dataclass(frozen=True, eq=False)
class Evidence:
    """What an estimator of a claim returns: a value of n units (NaN without any) and its tests.

    `above` and `below` give the evidence that the true value lies on that side of a bound, `interval` the
    values that are rejected on neither side at a confidence; its ends may be infinite.
    """

    value: float
    n: int
    above: Callable[[float], Tail]
    below: Callable[[float], Tail]
    interval: Callable[[float], tuple[float, float]]


def share(successes: int, n: int) -> Evidence:
    """A share of n units."""
    failures = n - successes

    def interval(confidence: float) -> tuple[float, float]:
        tail, quantile = (1 - confidence) / 2, scipy.special.betaincinv
        low = quantile(successes, failures + 1, tail) if successes else 0.0
        high = quantile(successes + 1, failures, 1 - tail) if failures else 1.0
        return float(low), float(high)

    return Evidence(
        successes / n if n else float("nan"),
        n,
        lambda bound: _binomial(successes, n, bound),
        lambda bound: _binomial(failures, n, 1 - bound),
        interval,
    )


def median(values: Values) -> Evidence:
    """The median of independent values; missing ones are left out."""
    given = np.asarray(values, float)
    ranked = np.sort(given[np.isfinite(given)])
    n = len(ranked)

    def interval(confidence: float) -> tuple[float, float]:
        # An end is the outermost value that so many lie beyond as are not too many at one half.
        rejected = _upper(np.arange(n, 0, -1), n, 0.5) <= (1 - confidence) / 2
        place = int(rejected.sum()) - 1
        return (-np.inf, np.inf) if place < 0 else (float(ranked[place]), float(ranked[-1 - place]))

    return Evidence(
        float(np.median(ranked)) if n else float("nan"),
        n,
        lambda bound: _binomial(int((ranked > bound).sum()), n, 0.5),
        lambda bound: _binomial(int((ranked < bound).sum()), n, 0.5),
        interval,
    )


def among(own: float, others: Float[np.ndarray, "order"]) -> Evidence:
    """A value above the median of those of random orders, of which it is one by chance."""
    n, ranked = len(others), np.sort(own - others)

    def interval(confidence: float) -> tuple[float, float]:
        place = int((1 - confidence) / 2 * (n + 1) + ROUNDING) - 1
        return (-np.inf, np.inf) if place < 0 else (float(ranked[place]), float(ranked[-1 - place]))

    return Evidence(
        float(np.median(ranked)) if n else float("nan"),
        n,
        lambda bound: Tail(float(1 + np.sum(ranked <= bound)) / (n + 1)),
        lambda bound: Tail(float(1 + np.sum(ranked >= bound)) / (n + 1)),
        interval,
    )


def mean_rank(behind: Sequence[int], rivals: int) -> Evidence:
    """Mean share of its rivals that a unit is ahead of, over trainings; one half by chance.

    `behind` has the number of rivals behind it in each training, out of `rivals`.
    """
    n, most = len(behind), len(behind) * rivals
    chances = np.ones(1)  # of each sum of places, all of which are as likely
    for _ in range(n):
        chances = np.convolve(chances, np.full(rivals + 1, 1 / (rivals + 1)))
    tails = np.cumsum(chances[::-1])[::-1]

    def beyond(total: int, shift: float) -> Tail:
        """Chance of this sum less the shift (in shares of the rivals), or more."""
        place = int(np.ceil(total - shift * most - ROUNDING))
        return Tail(float(np.append(tails, 0.0)[min(max(place, 0), most + 1)]))

    def interval(confidence: float) -> tuple[float, float]:
        width = (int((tails > (1 - confidence) / 2).sum()) - 1) / most - 0.5
        value = sum(behind) / most
        return max(value - width, 0.0), min(value + width, 1.0)

    return Evidence(
        sum(behind) / most if n else float("nan"),
        n,
        lambda bound: beyond(sum(behind), bound - 0.5),
        lambda bound: beyond(most - sum(behind), 0.5 - bound),
        interval,
    )


def at_random(first: Values, second: Values) -> tuple[np.ndarray, np.ndarray]:
    """Values of two independent groups as pairs at random; those of the larger group that are left go.

    The draw has a fixed seed.
    """
    rng = np.random.default_rng(0)
    first, second = (rng.permutation(np.asarray(values)) for values in (first, second))
    n = min(len(first), len(second))
    return first[:n], second[:n]


def one_of_two(first: Values, second: Values) -> Evidence:
    """Of the pairs in which one side alone is true, the share in which it is the first (McNemar's test)."""
    first, second = (np.asarray(values, bool) for values in (first, second))
    return share(int((first & ~second).sum()), int((first != second).sum()))


def pairings(strata: Sequence[tuple[Values, Values]]) -> Evidence:
    """Share of all pairings within strata of which the first value is larger; equal ones count half.

    A value is in many pairings, so they count as the independent pairs whose share has the same error (the
    effective sample of Korn and Graubard 1998, with DeLong's error), but at most as three for each pairing
    that shares no value. If fewer than `ENOUGH` share none, or all pairings agree, these are counted alone.
    """
    above = [(np.sign(np.subtract.outer(*map(np.asarray, own))) + 1) / 2 for own in strata]
    above = [table for table in above if table.size]
    n_all, n = sum(table.size for table in above), sum(min(table.shape) for table in above)
    if not n_all:
        return share(0, 0)
    value = sum(float(table.sum()) for table in above) / n_all
    spread = value * (1 - value)
    if n >= ENOUGH and spread:
        error = sum((table.size / n_all) ** 2 * _error(table, spread) for table in above)
        n = int(min(spread / error, 3 * n))
    return replace(share(round(value * n), n), value=value)


def _error(above: Float[np.ndarray, "first second"], spread: float) -> float:
    """Squared error of the share of all pairings of two groups; that of one pair if either has one value."""
    if min(above.shape) == 1:
        return spread
    return sum(float(above.mean(axis=axis).var(ddof=1)) / above.shape[1 - axis] for axis in (0, 1))


def fewest(chance: float, level: float) -> float:
    """Fewest units that, all on one side, decide at a level (two-sided) against a chance."""
    return Tail(0.0, 1.0, chance).needed(level / 2)


def _binomial(k: int, n: int, chance: float) -> Tail:
    return Tail(float(_upper(k, n, chance)), k / n if n else 0.0, chance)


def _upper(k: Values, n: Values, chance: float) -> np.ndarray:
    """Chance of k or more successes of n."""
    more = scipy.special.betainc(np.maximum(k, 1), np.subtract(n, k) + 1, chance)
    return np.where(np.asarray(k) > 0, more, 1.0)
