"""Intervals of verdicts: against slow, obvious versions, where they end, and by what they promise."""

import numpy as np
import pytest
from scipy import stats
from simulated_intervals import KINDS, simulated

from memloc.claims.estimators.paired_gradients import FEWEST_PAIRS
from memloc.statistics import studentised as room
from memloc.statistics.studentised import (
    ENOUGH,
    among,
    extreme,
    given,
    lead,
    lead_of_resamples,
    share,
    simultaneous,
    studentised,
    two_way,
)
from memloc.statistics.uncertainty import Interval


def numbers(n, seed=0, columns=None):
    return np.random.default_rng(seed).normal(0.4, 1, n if columns is None else (n, columns))


def slow_t(groups, seed_rows):
    """|t| of resampled units in a loop: rows of `times` for each group."""
    found = []
    for times in zip(*seed_rows, strict=True):
        value, error = 0.0, 0.0
        for sign, group, weights in zip((1, -1), groups, times, strict=False):
            drawn = np.repeat(group - group.mean(), weights)
            value += sign * drawn.mean()
            error += drawn.var() / (len(drawn) - 1)
        found.append(abs(value) / np.sqrt(error))
    return np.array(found)


@pytest.mark.parametrize("sizes", [(9,), (9, 14)])
def test_an_interval_is_as_wide_as_the_t_of_resampled_units(sizes, monkeypatch):
    monkeypatch.setattr(room, "N_RESAMPLES", 199)
    groups = [numbers(n, seed=n) * scale for n, scale in zip(sizes, (1, 5), strict=False)]
    found = studentised(*groups)
    rng = np.random.default_rng(0)
    times = [rng.multinomial(n, np.full(n, 1 / n), size=199) for n in sizes]
    reach = np.sort(slow_t(groups, times))[190 - 1]
    error = np.sqrt(sum(group.var() / (len(group) - 1) for group in groups))
    value = groups[0].mean() - (groups[1].mean() if len(groups) > 1 else 0)
    assert found == pytest.approx((value, value - reach * error, value + reach * error, min(sizes)))


def test_intervals_that_hold_together_are_as_wide_as_the_largest_t_asks_for():
    values = numbers(20, columns=10)
    alone = [studentised(column) for column in values.T]
    together = simultaneous(values)
    widths = [(i.high - i.low) / values[:, c].std(ddof=1) for c, i in enumerate(together)]
    assert widths == pytest.approx([widths[0]] * 10), "as many standard errors for each"
    assert all(a.value == pytest.approx(b.value) for a, b in zip(alone, together, strict=True))
    assert widths[0] > 1.2 * max((i.high - i.low) / values[:, c].std(ddof=1) for c, i in enumerate(alone))


def test_the_largest_of_several_means_ends_where_the_largest_ends_are():
    wide, narrow = Interval(-1.0, -9.0, 7.0, 8), Interval(-2.0, -3.0, -1.5, 8)
    assert extreme(max, [wide, narrow]) == (-1, -3, 7, 8)
    assert extreme(min, [wide, narrow]) == (-2, -9, -1.5, 8)


def test_missing_values_are_left_out_and_what_never_varies_widens_nothing():
    values = numbers(12, columns=3)
    more = np.column_stack([values, np.full(12, 0.9), np.full(12, np.nan)])
    found = simultaneous(more)
    assert np.array(found[:3]) == pytest.approx(np.array(simultaneous(values)))
    assert found[3][1:] == pytest.approx((0.9, 0.9, 12)) and found[4].n == 0 and np.isnan(found[4].value)
    gaps = np.append(values[:, 0], [np.nan] * 3)
    assert studentised(gaps).value == pytest.approx(values[:, 0].mean()) and studentised(gaps).n == 12


@pytest.mark.parametrize("n", [0, 1, 5, ENOUGH - 1])
@pytest.mark.filterwarnings("ignore:Mean of empty")
def test_few_units_have_an_infinite_interval(n):
    for found in (studentised(numbers(n)), studentised(numbers(n), numbers(30)), lead(numbers(n, columns=3))):
        assert found.n == n and not np.isfinite([found.low, found.high]).any()
    assert np.isfinite(studentised(numbers(ENOUGH), numbers(ENOUGH, 1))).all()
    assert not np.isfinite(two_way(np.ones((ENOUGH - 1, 8)))[1:3]).any()


def test_values_at_a_floor_have_no_finite_interval():
    """One of eight differs: a third of the resamples lack it, and their |t| has no bound."""
    found = studentised([0.0] * 7 + [50.0])
    assert (found.value, found.low, found.high) == (6.25, -np.inf, np.inf)


def test_the_lead_is_over_the_rival_whose_interval_begins_lowest():
    values = numbers(40, columns=4) + [0, 5, 2, 1]
    values[:, 3] += 30 * (np.arange(40) % 20 == 0)  # a mean of 2.9 that is least sure
    behind = [studentised(values[:, 1] - values[:, other]) for other in (0, 2, 3)]
    found = lead(values)
    assert found == pytest.approx(min(behind, key=lambda interval: interval.low))
    assert found.value == pytest.approx((values[:, 1] - values[:, 3]).mean()), "value and ends of one rival"
    assert lead(values[:, :3], 0).high < 0, "a given column may be behind"


def test_the_lead_over_resamples_has_their_quantiles_whichever_is_next():
    scores, drawn = np.array([1.0, 3, 2]), np.array([[1.0, 3, 2], [2.5, 3, 2], [1, 3, 3.5], [1, 3, 2]] * 25)
    found = lead_of_resamples(scores, drawn, 10)
    assert (found.value, found.n) == (1, 10) and (found.low, found.high) == (-0.5, 1)
    assert lead_of_resamples(scores, drawn, 10, chosen=2).value == -1
    assert lead_of_resamples(scores, drawn, 7).low == -np.inf


def test_two_ways_add_the_variance_of_units_and_of_draws():
    values = numbers(12, columns=9) + numbers(9, seed=3)  # draws shift all units
    found = two_way(values)
    parts = [values.mean(axis=axis).var(ddof=1) / n for axis, n in ((1, 12), (0, 9))]
    half = stats.t.ppf(0.975, 8) * np.sqrt(sum(parts))
    assert found == pytest.approx((values.mean(), values.mean() - half, values.mean() + half, 12))
    assert two_way(values, values).value == 0
    assert two_way(values[:, :5])[1:3] == (-np.inf, np.inf), "five draws"


def test_shares_are_those_that_an_exact_test_does_not_reject():
    for n in (6, 7, 30):
        for successes in range(n + 1):
            expected = stats.binomtest(successes, n).proportion_ci(method="exact")
            assert share(successes, n) == pytest.approx((successes / n, *expected, n), abs=1e-12)
    assert share(5, 5)[1:] == (-np.inf, np.inf, 5) and np.isnan(share(0, 0).value)


def test_a_place_among_orders_is_that_of_a_rank_test():
    others = np.arange(39.0)
    assert among(38.5, others)[:3] == (19.5, 0.5, 38.5) and among(-0.5, others).high == -0.5
    assert among(37.5, others).low < 0 < among(37.5, others).high
    assert among(99.0, others[:38])[1:] == (-np.inf, np.inf, 38)
    assert among(78.5, np.arange(79.0)).low == 1.5, "above all but one of 79"


# None decides by fewer.
FEWEST = dict.fromkeys((kind for kind in KINDS if "max-T" in kind), 12)
FEWEST["pairs at an equal NLL (HC3)"] = FEWEST_PAIRS


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "264" not in kind])
def test_intervals_hold_the_true_value_on_data_of_a_study(kind):
    """At least 93 % of them, give or take two and a half errors of so few simulations."""
    n = 39 if kind == "place among orders" else FEWEST.get(kind, 8)
    covered, _ = simulated(kind, n, 60)
    assert covered >= 0.93 - 2.5 * np.sqrt(0.93 * 0.07 / 60)


@pytest.mark.stress
@pytest.mark.parametrize("n", [8, 12, 25, 50])
@pytest.mark.parametrize("kind", KINDS)
def test_intervals_hold_the_true_value_in_many_simulations_and_find_large_effects(kind, n):
    n = 39 if kind == "place among orders" else max(n, FEWEST.get(kind, n))
    covered, power = simulated(kind, n, 2_000)
    assert covered >= 0.93 - 2.5 * np.sqrt(0.93 * 0.07 / 2_000)
    assert n < 50 or power >= (0.4 if "two-way" in kind else 0.5)  # of six draws


def test_the_difference_at_an_equal_covariate_is_the_intercept_with_an_error_of_each_pair():
    x = np.linspace(-4, 1, 11)
    y = 0.3 + 0.9 * x + numbers(11) * (1 + np.abs(x)) / 5
    line = stats.linregress(x, y)
    found = given(y, x)
    assert (found.value, found.n) == (pytest.approx(line.intercept), 11)
    left = [stats.linregress(np.delete(x, row), np.delete(y, row)) for row in range(11)]
    # How far each pair lies from the line of all others.
    missed = [y[row] - one.intercept - one.slope * x[row] for row, one in enumerate(left)]
    weights = 1 / 11 - x.mean() * (x - x.mean()) / np.sum((x - x.mean()) ** 2)
    reach = np.sqrt(np.sum((weights * missed) ** 2)) * stats.t(9).ppf(
        0.975
    )  # each pair by a line of the others
    assert found[1:3] == pytest.approx((line.intercept - reach, line.intercept + reach))


def test_equal_covariates_and_few_pairs_say_nothing_of_the_difference_at_an_equal_one():
    assert given(numbers(20), np.full(20, 2.0))[1:3] == (-np.inf, np.inf)
    assert given(numbers(ENOUGH - 1), numbers(ENOUGH - 1, 1))[1:3] == (-np.inf, np.inf)
    assert np.isnan(given([], []).value)
