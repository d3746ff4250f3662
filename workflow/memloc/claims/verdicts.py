"""From an estimate to a verdict, by the rule of its claim.

d is the smallest difference from the bound that matters. A verdict is that of a one-sided exact test on each
side, doubled, at 5 % (`statistics.exact`); the 95 % interval says the same.

| rule | holds | does not hold | no difference that matters |
|---|---|---|---|
| `greater` | more than d above the bound | more than d below it | within d of it |
| `at least` | no more than d below it | more than d below it | |

If none is shown, the units are `too few`. Claims of a topic are a family: their p-values are corrected for
the number of them that apply, by Holm's steps.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from memloc.claims.registry import Claim
from memloc.statistics.exact import CONFIDENCE, Evidence, Tail
from memloc.statistics.uncertainty import holm
from memloc.tables.terms.claims import (
    DECIDED,
    FAILS,
    HOLDS,
    NO_DIFFERENCE,
    NOT_APPLICABLE,
    TOO_FEW,
    counted,
    on_scale,
)

Tables = dict[str, pd.DataFrame]
LEVEL = 1 - CONFIDENCE


class NotApplicable(Exception):
    """The claim of an estimator does not apply to a run; the message says why."""


class Verdict(NamedTuple):
    """A verdict and its reason in words; the p-value, and the units that would decide if these do not."""

    verdict: str
    reason: str
    p: float | None = None
    needed: float | None = None


class Finding(NamedTuple):
    """What may be shown: the verdict, in words, and the evidence, all parts of which are needed."""

    verdict: str
    said: str
    parts: tuple[Tail, ...]

    @property
    def p(self) -> float:
        """Two-sided p-value."""
        return min(2 * max(part.p for part in self.parts), 1.0)


def judge(claim: Claim, found: Evidence, family: int = 1) -> Verdict:
    """Verdict on a claim by itself; `corrected` compares it with the others of its topic.

    `family` is the number of claims of the topic, for which the units that would decide allow.
    """
    if not found.n or np.isnan(found.value):
        return Verdict(NOT_APPLICABLE, "there is nothing to compute it from")
    shown = findings(claim, found)
    best, level = min(shown, key=lambda finding: finding.p), LEVEL / 2 / family
    needed = min(max(part.needed(level) for part in finding.parts) for finding in shown)
    if best.p <= LEVEL:
        return Verdict(best.verdict, f"the interval is {best.said}", best.p, needed)
    units = counted(found.n, claim.unit)
    would = f"{max(needed, found.n + 1):,.0f}" if np.isfinite(needed) else "no number"
    return Verdict(TOO_FEW, f"{units}; with such values, {would} would decide", best.p, needed)


def findings(claim: Claim, found: Evidence) -> list[Finding]:
    """What the rule of a claim lets its units show."""
    low, high = claim.bound - claim.matters, claim.bound + claim.matters
    least, most = (on_scale(end, claim.scale) for end in (low, high))
    fails = Finding(FAILS, f"below {least}", (found.below(low),))
    if claim.rule == "at least":
        return [Finding(HOLDS, f"above {least}", (found.above(low),)), fails]
    within = Finding(NO_DIFFERENCE, f"between {least} and {most}", (found.above(low), found.below(high)))
    return [Finding(HOLDS, f"above {most}", (found.above(high),)), fails, within]


def corrected(claims: pd.DataFrame) -> pd.DataFrame:
    """Claims, judged each by itself, after Holm's steps over those of a family that apply.

    A verdict whose p-value is too large for the number of claims of its topic becomes `too few`.

    Args:
        claims: all claims, with the columns topic, verdict, reason and p of table `claims`.
    """
    apply = claims[claims["verdict"] != NOT_APPLICABLE]
    families = apply["p"].fillna(1.0).groupby(apply["topic"])
    near = (families.transform(holm) > LEVEL) & apply["verdict"].isin(DECIDED)
    found, sizes = claims.copy(), families.transform("size")
    for row in apply[near].itertuples():
        reason = f"{row.reason}, but not far enough for one of {sizes[row.Index]} claims of its topic"
        found.loc[row.Index, ["verdict", "reason"]] = TOO_FEW, reason
    needed = found["needed"].astype(float).where(found["verdict"] == TOO_FEW)
    return found.assign(needed=needed.where(np.isfinite(needed)))
