"""From an estimate to a verdict, by the rule of its claim.

| rule | holds | does not hold |
|---|---|---|
| `greater` | the interval is above the margin | it is below the margin |
| `at least` | the interval is above minus the margin (non-inferiority) | it is below minus the margin |
| `equal within` | the interval is within the margin around the target (equivalence) | it is outside |
| `exact` | the value is the target, give or take the margin | it is not |
| `reached` | the value is the margin or more: one case is enough | no case of six or more reached it |

Everything else is `undecided`, and so is every rule with an interval where there are fewer than six units. An
end that lies exactly on a bound is not beyond it; an interval that is one point on the bound fails `greater`.
The target is 0, or the published value where the registry says so.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from memloc.claims.registry import Claim
from memloc.statistics.uncertainty import MIN_N, Interval
from memloc.tables.terms.claims import FAILS, HOLDS, NOT_APPLICABLE, UNDECIDED, counted


@dataclass(frozen=True)
class Estimate:
    """Result of an estimator: a value with its interval and number of units, or why there is none.

    `missing` says why the claim does not apply to this run; `doubt` says why it stays undecided whatever
    the interval is.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    missing: str | None = None
    doubt: str | None = None

    @classmethod
    def of(cls, interval: Interval, doubt: str | None = None) -> "Estimate":
        """Estimate of an interval; infinite ends are left out."""
        low, high = (float(end) if np.isfinite(end) else None for end in (interval.low, interval.high))
        return cls(float(interval.value), low, high, int(interval.n), doubt=doubt)


def little_left(tokens: float, n_continuation: int) -> str | None:
    """Why to doubt that memorized paragraphs lose more than others: the others have few `tokens` left."""
    if tokens >= n_continuation / 2:
        return None
    return f"at random, non-memorized paragraphs keep only {tokens:.1f} tokens: there is little more to lose"


class Verdict(NamedTuple):
    """A verdict and its reason in words."""

    verdict: str
    reason: str


def judge(claim: Claim, estimate: Estimate, n_continuation: int) -> Verdict:
    """Verdict on a claim; `n_continuation` tokens scale margins that are shares of a continuation."""
    if estimate.missing:
        return Verdict(NOT_APPLICABLE, estimate.missing)
    if estimate.value is None or np.isnan(estimate.value):
        return Verdict(NOT_APPLICABLE, "there is nothing to compute it from")
    margin, bound = claim.scaled_margin(n_continuation), claim.bound(n_continuation)
    if claim.rule == "exact":
        same = abs(estimate.value - bound) <= margin
        given = f", give or take {margin:g}" if margin else ""
        return Verdict(HOLDS if same else FAILS, f"the published value is {bound:,.10g}{given}")
    if claim.rule == "reached" and estimate.value >= bound:
        return Verdict(HOLDS, f"one case of {bound:g} or more is enough")
    if estimate.n < MIN_N:
        return Verdict(UNDECIDED, f"fewer than {counted(MIN_N, claim.unit)}")
    if estimate.doubt:
        return Verdict(UNDECIDED, estimate.doubt)
    if claim.rule == "reached":
        return Verdict(FAILS, f"no case reaches {bound:g}")
    if estimate.low is None or estimate.high is None:
        return Verdict(UNDECIDED, "its interval is infinite")
    return _by_interval(claim, estimate.low, estimate.high, margin, bound)


def _by_interval(claim: Claim, low: float, high: float, margin: float, bound: float) -> Verdict:
    if claim.rule == "equal within":
        inner, outer = bound - margin, bound + margin
        if inner <= low and high <= outer:
            return Verdict(HOLDS, f"the interval is between {inner:g} and {outer:g}")
        if high < inner or low > outer:
            return Verdict(FAILS, f"the interval is outside of {inner:g} to {outer:g}")
        return Verdict(UNDECIDED, f"the interval reaches across {inner:g} or {outer:g}")
    if low > bound:
        return Verdict(HOLDS, f"the interval is above {bound:g}")
    if high < bound or high == low == bound:
        return Verdict(FAILS, f"the interval is not above {bound:g}")
    return Verdict(UNDECIDED, f"the interval includes {bound:g}")
