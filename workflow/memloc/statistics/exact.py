"""Exact tests of claims: on which side of a bound do units lie?

| kind | units | under the bound |
|---|---|---|
| `share` | paragraphs, or pairs: yes or no | each is a yes with this chance |
| `mean_share` | the same, of several draws | that of the mean numbers, which vary less than those of a draw |
| `median` | a value each, of whatever distribution | each lies above the median with chance one half |
| `mean_rank` | a place each, among several | each place is as likely; in some trainings, the first or last |

Intervals are what the tests do not reject: of shares Clopper and Pearson's, of medians the order statistics
(`scipy.stats.quantile_test`). They need no assumption on the spread of values or their skew, so they hold the
true value at every level at least as often as they promise, from the first n that can decide anything.
Independent groups are compared in all pairs, no draw of which decides.
"""

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy

CONFIDENCE = 0.95
MOST_UNITS = 10**6  # the largest number of units that `needed` tries
ROUNDING = 1e-9

Values = np.ndarray | pd.Series | Sequence[float]


class Tail(NamedTuple):
    """Evidence for one side of a bound: the chance of as much of it at the bound.

    `share` of the units lie on this side; at the bound, at most `chance` of them do. Of values: each unit's
    lies `distance` beyond the mean at the bound, in standard deviations.
    """

    p: float
    share: float = 0.0
    chance: float = 1.0
    distance: float = 0.0

    def needed(self, level: float) -> float:
        """Units of which such values would be enough at a level (one-sided); infinite if none are."""
        if self.distance > 0:
            n = np.ceil((scipy.special.ndtri(1 - level) / self.distance) ** 2)
            return float(n) if n <= MOST_UNITS else np.inf  # at the bound, rounding leaves a distance
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


def share(successes: float, n: float) -> Evidence:
    """A share of n units."""
    failures = n - successes

    def interval(confidence: float) -> tuple[float, float]:
        tail, quantile = (1 - confidence) / 2, scipy.special.betaincinv
        low = quantile(successes, failures + 1, tail) if successes else 0.0
        high = quantile(successes + 1, failures, 1 - tail) if failures else 1.0
        return float(low), float(high)

    return Evidence(
        successes / n if n else float("nan"),
        round(n),
        lambda bound: _binomial(successes, n, bound),
        lambda bound: _binomial(failures, n, 1 - bound),
        interval,
    )


def rate(yes: Values) -> Evidence:
    """The share of units that say yes."""
    return share(int(np.sum(yes)), len(yes))


def mean_share(draws: Iterable[Values]) -> Evidence:
    """The share of units that say yes, of draws of such units from the same texts, a list for each.

    The mean of draws varies less than one draw does, so it is judged as if it were one (Hoffman, Sen and
    Weinberg 2001, within-cluster resampling): no draw decides.
    """
    return share(*np.mean([(np.sum(yes), len(yes)) for yes in draws], axis=0).tolist())


def median(*groups: Values) -> Evidence:
    """The median of independent values, or of all differences between the values of two independent groups.

    Missing values are left out. Of two groups, n is the size of the smaller: at a bound, the share of all
    differences beyond varies at most as much as that of n pairs at random (Birnbaum and Klose 1957). It is
    the mean of all pairings, and is judged as one (see `mean_share`).
    """
    given = [values[np.isfinite(values)] for values in (np.asarray(group, float) for group in groups)]
    ranked = np.sort(functools.reduce(np.subtract.outer, given), axis=None)
    n, of = min(map(len, given)), max(len(ranked), 1)

    def interval(confidence: float) -> tuple[float, float]:
        # An end is the outermost value that so many lie beyond as are not too many at one half.
        rejected = _upper(n * np.arange(len(ranked), 0, -1) / of, n, 0.5) <= (1 - confidence) / 2
        place = int(rejected.sum()) - 1
        return (-np.inf, np.inf) if place < 0 else (float(ranked[place]), float(ranked[-1 - place]))

    return Evidence(
        float(np.median(ranked)) if n else float("nan"),
        n,
        lambda bound: _binomial(n * int((ranked > bound).sum()) / of, n, 0.5),
        lambda bound: _binomial(n * int((ranked < bound).sum()) / of, n, 0.5),
        interval,
    )


def mean_rank(behind: Sequence[int], rivals: int) -> Evidence:
    """Mean share of its rivals that a unit is ahead of, over trainings; one half by chance.

    Above one half, the unit is ahead of all rivals in so many trainings as make up for the bound, and in the
    others at any place; below, behind all.

    Args:
        behind: number of rivals behind it in each training, out of `rivals`.
    """
    n, most, ahead = len(behind), len(behind) * rivals, sum(behind)

    def beyond(total: int, bound: float) -> Tail:
        """Chance of this sum of places, or more."""
        certain = abs(2 * bound - 1)
        each = np.full(rivals + 1, (1 - certain) / (rivals + 1))
        each[-1 if bound > 0.5 else 0] += certain
        chances, places = functools.reduce(np.convolve, [each] * n, np.ones(1)), np.arange(rivals + 1)
        mean = each @ places
        spread = np.sqrt(each @ (places - mean) ** 2) or 1.0  # 0 at the ends
        return Tail(float(chances[total:].sum()), distance=(total / n - mean) / spread)

    def end(total: int, confidence: float) -> float:
        """The bound that just this many places, or more, do not reject."""
        tail = (1 - confidence) / 2
        return scipy.optimize.bisect(lambda bound: beyond(total, bound).p - tail, 0, 1) if total else 0.0

    return Evidence(
        ahead / most if n else float("nan"),
        n,
        lambda bound: beyond(ahead, bound),
        lambda bound: beyond(most - ahead, 1 - bound),
        lambda confidence: (end(ahead, confidence), 1 - end(most - ahead, confidence)),
    )


def fewest(chance: float, level: float) -> float:
    """Fewest units that, all on one side, decide at a level (two-sided) against a chance."""
    return Tail(0.0, 1.0, chance).needed(level / 2)


def _binomial(k: float, n: float, chance: float) -> Tail:
    return Tail(float(_upper(k, n, chance)), k / n if n else 0.0, chance)


def _upper(k: Values, n: Values, chance: float) -> np.ndarray:
    """Chance of k or more successes of n."""
    more = scipy.special.betainc(np.maximum(k, 1), np.subtract(n, k) + 1, chance)
    return np.where(np.asarray(k) > 0, more, 1.0)
