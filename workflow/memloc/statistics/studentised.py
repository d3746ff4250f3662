"""Intervals that verdicts rest on: exact for shares, studentised bootstrap for means (Hall 1992, 3.6).

| kind | interval |
|---|---|
| mean, or difference of two groups' means | `studentised`: |t| of resampled units |
| several of these, of which one is chosen | `simultaneous`: the largest |t| of all of them (max-T) |
| the largest of these | `extreme`: the largest of their ends |
| lead of the largest of several means | `lead`: the lowest of its leads over each rival |
| the same lead, of scores that are no means | `lead_of_resamples`: quantiles over resamples |
| mean over units that draws disturb together | `two_way`: variances over units and over draws are added |
| paired differences at an equal covariate | `given`: intercept of a regression, with HC3's error |
| one order among random ones | `among`: the values that a rank test does not reject |
| share | `share`: Clopper and Pearson's, which holds the true share in at least 95 % of samples |
| difference of two shares | `uncertainty.proportion_difference` of these |

Groups may differ in spread, and values may be skewed: units are drawn within their group, and |t| divides by
the standard error of the drawn units. If units hardly vary, as at a floor, |t| has no bound, and the interval
is infinite. The interval of fewer than `ENOUGH` units is infinite, too. Random draws have a fixed seed.
"""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import scipy
from jaxtyping import Bool, Float

from memloc.statistics.uncertainty import CONFIDENCE, MIN_N, TAILS, Interval, Values

ENOUGH = 8  # units; with 6 or 7, intervals of skewed values miss in more than 7 % of the cases
N_RESAMPLES = 4_999
FAR = 10.0  # standard errors; so wide an interval is rare even for a thousand heads and 25 units
FEWEST_ORDERS = 39  # random orders; an order no better than chance is above all of them in 1 case of 40

Group = Float[np.ndarray, "unit comparison"]


def studentised(first: Values, second: Values | None = None) -> Interval:
    """Mean of independent values, or of `first` minus `second`; missing values are left out."""
    given = [first] if second is None else [first, second]
    return simultaneous(*(np.asarray(values, float)[:, None] for values in given))[0]


def simultaneous(*groups: Group) -> list[Interval]:
    """Means of a group's columns, or of the first minus the second group's; all intervals hold together."""
    return _intervals(groups, together=True)


def too_wide(values: Group, intervals: Sequence[Interval]) -> bool:
    """Whether an interval of `simultaneous` is so wide that hardly any effect could decide the claim."""
    errors = np.sqrt(np.abs(_means(values, np.ones((1, len(values))))[1][0]))
    return any(i.high - i.value > FAR * error > 0 for i, error in zip(intervals, errors, strict=True))


def extreme(of: Callable[..., float], intervals: Iterable[Interval]) -> Interval:
    """The largest (`max`) or smallest of means whose intervals hold together, with its interval.

    Its ends are the largest (smallest) of all ends. The interval of one of the means would not do: the mean
    with the highest low end need not have the highest high end.
    """
    return Interval(*map(of, zip(*intervals, strict=True)))


def lead(values: Group, chosen: int | None = None) -> Interval:
    """Lead of the column with the largest mean, or of a given one, over every other column.

    The result is the lead over the rival whose interval begins lowest. The column leads only if it is above
    each rival, so the search needs no correction: if two columns are equal, one is found to lead in at most
    5 % of the cases, and in fewer if more are equal (Gutmann and Maymin 1987).
    """
    means = values.mean(axis=0) if len(values) else np.zeros(values.shape[1])
    chosen = int(means.argmax()) if chosen is None else chosen
    intervals = _intervals([values[:, [chosen]] - np.delete(values, chosen, axis=1)], together=False)
    return min(intervals, key=lambda interval: (interval.low, interval.value))


def lead_of_resamples(
    scores: Float[np.ndarray, "candidate"],
    drawn: Float[np.ndarray, "resample candidate"],
    n: int,
    chosen: int | None = None,
) -> Interval:
    """Lead of the highest score, or of a given one, over the next, with the leads in 95 % of resamples.

    The next one in a resample is the highest of all others, whichever it is. Resamples have `n` units.
    """
    chosen = int(scores.argmax()) if chosen is None else chosen

    def ahead(of: Float[np.ndarray, "*row candidate"]) -> Float[np.ndarray, "*row"]:
        return of[..., chosen] - np.delete(of, chosen, axis=-1).max(axis=-1)

    value = float(ahead(scores))
    if n < ENOUGH:
        return Interval(value, -np.inf, np.inf, n)
    low, high = np.quantile(ahead(drawn), TAILS)
    return Interval(value, min(value, float(low)), max(value, float(high)), n)


def share(successes: int, n: int) -> Interval:
    """Share of successes, with the shares that a binomial test does not reject (Clopper and Pearson 1934)."""
    if n < MIN_N:
        return Interval(successes / n if n else float("nan"), -np.inf, np.inf, n)
    failures, quantile = n - successes, scipy.special.betaincinv
    low = quantile(successes, failures + 1, TAILS[0]) if successes else 0.0
    high = quantile(successes + 1, failures, TAILS[1]) if failures else 1.0
    return Interval(successes / n, float(low), float(high), n)


def two_way(*groups: Float[np.ndarray, "unit draw"]) -> Interval:
    """Mean over units and draws, or first minus second group; both units and draws are samples.

    A draw disturbs all units together, so draws are a second kind of unit. The variances over both are added,
    which counts their interaction twice; t has the degrees of freedom of the smallest sample.
    """
    by_draw = groups[0].mean(axis=0) - sum(group.mean(axis=0) for group in groups[1:])
    samples = [group.mean(axis=1) for group in groups] + [by_draw]
    n, value = len(samples[0]), float(by_draw.mean())
    if min(map(len, samples[:-1])) < ENOUGH or len(by_draw) < MIN_N:
        return Interval(value, -np.inf, np.inf, n)
    parts = np.array([sample.var(ddof=1) / len(sample) for sample in samples])
    if not parts.any():
        return Interval(value, value, value, n)
    freedom = min(map(len, samples)) - 1
    width = float(np.sqrt(parts.sum()) * scipy.special.stdtrit(freedom, TAILS[1]))
    return Interval(value, value - width, value + width, n)


def given(differences: Values, covariate: Values) -> Interval:
    """Mean paired difference of pairs that do not differ in a covariate.

    It is the intercept of the regression of the differences on the covariate's differences. If no pair is
    nearly equal in the covariate, the line is extrapolated, and its error grows with the distance to the
    pairs. Each pair has its own error (HC3; MacKinnon and White 1985); t has n - 2 degrees of freedom.
    """
    y, x = (np.asarray(values, float) for values in (differences, covariate))
    n = len(y)
    if n < 2 or not np.ptp(x):
        return Interval(float("nan"), -np.inf, np.inf, n)
    design = np.column_stack([np.ones(n), x])
    inverse = np.linalg.pinv(design)
    intercept, slope = map(float, inverse @ y)
    if n < ENOUGH:
        return Interval(intercept, -np.inf, np.inf, n)
    leverage = np.einsum("ij,ji->i", design, inverse)
    left = (y - intercept - slope * x) / np.maximum(1 - leverage, np.finfo(float).eps)
    width = float(np.linalg.norm(inverse[0] * left) * scipy.special.stdtrit(n - 2, TAILS[1]))
    return Interval(intercept, intercept - width, intercept + width, n)


def among(own: float, others: Float[np.ndarray, "order"]) -> Interval:
    """Distance of a value above the median of random orders' values, with the interval of a rank test.

    If the interval is above zero, the value is above all but 2.5 % of the orders, itself included.
    """
    n, ranked = len(others), np.sort(others)
    value = float(own - np.median(others)) if n else float("nan")
    if n < FEWEST_ORDERS:
        return Interval(value, -np.inf, np.inf, n)
    place = int(TAILS[0] * (n + 1) + 1e-9)
    return Interval(value, float(own - ranked[-place]), float(own - ranked[place - 1]), n)


def _intervals(groups: Sequence[Group], together: bool) -> list[Interval]:
    """Intervals of every column's mean, or of the first minus the second group's mean.

    An interval reaches to either side of the mean by the standard error times the 95 % quantile of |t| in
    resamples of centred values. With `together`, the quantile is of the largest |t| of all columns, so that
    all intervals hold at once. n is the smaller group's. Fewer than `ENOUGH` values give an infinite
    interval, values without variance an interval of no width.
    """
    sizes = np.min([np.isfinite(group).sum(axis=0) for group in groups], axis=0)
    once = [np.ones((1, len(group))) for group in groups]
    values, errors = (found[0] for found in _difference(groups, once))
    means = [_means(group, one)[0][0] for group, one in zip(groups, once, strict=True)]
    centred = [group - mean for group, mean in zip(groups, means, strict=True)]
    enough = sizes >= ENOUGH
    reach = np.full(len(sizes), np.inf)
    if enough.any():
        largest = _resampled_t([group[:, enough] for group in centred], errors[enough] > 0)
        largest = largest.max(axis=1, keepdims=True) if together else largest
        reach[enough] = np.sort(largest, axis=0)[int(np.ceil(CONFIDENCE * (N_RESAMPLES + 1))) - 1]
    widths = np.where(errors > 0, reach * np.where(errors > 0, errors, 1), np.where(enough, 0, np.inf))
    found = zip(values, values - widths, values + widths, sizes, strict=True)
    return [Interval(float(value), float(low), float(high), int(n)) for value, low, high, n in found]


def _resampled_t(
    groups: Sequence[Group], varies: Bool[np.ndarray, "comparison"]
) -> Float[np.ndarray, "resample comparison"]:
    """|t| of resampled units of groups with mean zero; 0 in columns that do not vary."""
    rng = np.random.default_rng(0)
    times = [rng.multinomial(len(g), np.full(len(g), 1 / len(g)), size=N_RESAMPLES) for g in groups]
    values, errors = _difference(groups, times)
    some = np.where(errors > 0, errors, 1)
    t = np.where(errors > 0, np.abs(values) / some, np.where(values == 0, 0, np.inf))
    return np.where(varies, np.nan_to_num(t, nan=np.inf, posinf=np.inf), 0)


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
