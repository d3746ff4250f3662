"""From an estimate to a verdict, by the rule of its claim.

| rule | holds | does not hold |
|---|---|---|
| `greater` | the interval is above the margin | it is below the margin |
| `at least` | the interval is above minus the margin (non-inferiority) | it is below minus the margin |
| `equal within` | the interval is within the margin around zero (equivalence) | it is outside |

Everything else is `undecided`. An interval of no width decides nothing: values that do not vary say nothing
about their spread. An end on a bound is not beyond it.

Claims on the same data are a family, which is corrected for its size: an interval must stay so far from its
bound that a test still rejects the bound at 5 %, by Holm's steps over the claims of the family that apply.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy

from memloc.claims.registry import Claim
from memloc.statistics.studentised import ENOUGH, share, simultaneous, too_wide
from memloc.statistics.uncertainty import CONFIDENCE, MIN_N, Interval, holm
from memloc.tables.terms.claims import FAILS, HOLDS, NOT_APPLICABLE, UNDECIDED, counted

Tables = dict[str, pd.DataFrame]


class NotApplicable(Exception):
    """The claim of an estimator does not apply to a run; the message says why."""


@dataclass(frozen=True)
class Estimate:
    """Result of an estimator: a value with its interval and number of units.

    `n_other` is the number of units in the group of comparison, if there is one. `doubt` says why the claim
    stays undecided whatever the interval is. `exact` says that the value is a share of the units, with an
    exact interval. `searched` is the number of comparisons of a search that makes the interval too wide.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    n_other: int | None = None
    doubt: str | None = None
    exact: bool = False
    searched: int | None = None

    @classmethod
    def of_share(cls, successes: int, n: int, doubt: str | None = None) -> "Estimate":
        """Estimate of a share of units."""
        return replace(cls.of(share(successes, n), doubt=doubt), exact=True)

    @classmethod
    def of_search(cls, values: np.ndarray, choose: Callable[[list[Interval]], Interval]) -> "Estimate":
        """Estimate with the interval that `choose` takes from those of all columns, which hold together."""
        found = simultaneous(values)
        return replace(cls.of(choose(found)), searched=values.shape[1] if too_wide(values, found) else None)

    @classmethod
    def of(cls, interval: Interval, n_other: int | None = None, doubt: str | None = None) -> "Estimate":
        """Estimate of an interval; infinite ends are left out."""
        low, high = (float(end) if np.isfinite(end) else None for end in (interval.low, interval.high))
        return cls(float(interval.value), low, high, int(interval.n), n_other, doubt=doubt)


class Verdict(NamedTuple):
    """A verdict and its reason in words; the p-value (see `chance`) where an interval decides."""

    verdict: str
    reason: str
    p: float | None = None


def judge(claim: Claim, estimate: Estimate) -> Verdict:
    """Verdict on a claim by itself; `corrected` compares it with the others on the same data."""
    if estimate.value is None or np.isnan(estimate.value):
        return Verdict(NOT_APPLICABLE, "there is nothing to compute it from")
    infinite = estimate.low is None or estimate.high is None
    if estimate.doubt and (infinite or _by_interval(claim, estimate)[0] != UNDECIDED):
        return Verdict(UNDECIDED, estimate.doubt)
    if estimate.n < MIN_N:
        return Verdict(UNDECIDED, f"fewer than {counted(MIN_N, claim.unit)}")
    if infinite:
        few = f"fewer than {counted(ENOUGH, claim.unit)}"
        why = few if estimate.n < ENOUGH else "the data are too few, or lie at a floor"
        return Verdict(UNDECIDED, f"its interval is infinite: {why}")
    if estimate.low == estimate.high:
        return Verdict(UNDECIDED, "nothing varies, which is no evidence")
    (verdict, reason), p = _by_interval(claim, estimate), chance(claim, estimate)
    if verdict == UNDECIDED and estimate.searched:
        few = f"{counted(estimate.n, claim.unit)} are too few for a search over {estimate.searched:,}"
        reason = f"{reason}: {few} comparisons"
    return Verdict(verdict, reason, p)


def corrected(claims: pd.DataFrame) -> pd.DataFrame:
    """Claims, judged each by itself, after Holm's steps over those of a family that apply.

    A verdict whose p-value is too large for the number of claims on the same data becomes undecided.

    Args:
        claims: all claims, with the columns data, verdict, reason and p of table `claims`.
    """
    apply = claims[claims["verdict"] != NOT_APPLICABLE]
    families = apply["p"].fillna(1.0).groupby(apply["data"])
    near = (families.transform(holm) > 1 - CONFIDENCE) & apply["verdict"].isin((HOLDS, FAILS))
    found, sizes = claims.copy(), families.transform("size")
    for row in apply[near].itertuples():
        reason = f"{row.reason}, but not far enough for one of {sizes[row.Index]} claims on these data"
        found.loc[row.Index, ["verdict", "reason"]] = UNDECIDED, reason
    return found


def chance(claim: Claim, estimate: Estimate) -> float:
    """Two-sided p-value of the bound: of a share by a binomial test, else by a t test with the same interval.

    The half of the interval towards the bound gives the standard error; for an equivalence, or where that
    half has no width, the wider one.
    """
    value = estimate.value
    if estimate.exact and claim.rule == "greater":
        return float(scipy.stats.binomtest(round(value * estimate.n), estimate.n, claim.bound).pvalue)
    halves = (value - estimate.low, estimate.high - value)
    if claim.rule == "equal within":
        distance, half = abs(abs(value) - claim.margin), max(halves)
    else:
        distance, half = abs(value - claim.bound), halves[0] if value > claim.bound else halves[1]
    freedom = estimate.n - 1
    t = distance / (half or max(halves)) * scipy.special.stdtrit(freedom, (1 + CONFIDENCE) / 2)
    return float(2 * scipy.special.stdtr(freedom, -t))


def _by_interval(claim: Claim, estimate: Estimate) -> tuple[str, str]:
    low, high, bound, margin = estimate.low, estimate.high, claim.bound, claim.margin
    if claim.rule == "equal within":
        if -margin <= low and high <= margin:
            return HOLDS, f"the interval is between {-margin:g} and {margin:g}"
        if high < -margin or low > margin:
            return FAILS, f"the interval is outside of {-margin:g} to {margin:g}"
        return UNDECIDED, f"the interval reaches across {-margin:g} or {margin:g}"
    if low > bound:
        return HOLDS, f"the interval is above {bound:g}"
    if high < bound:
        return FAILS, f"the interval is below {bound:g}"
    return UNDECIDED, f"the interval includes {bound:g}"
