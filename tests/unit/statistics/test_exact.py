"""Exact tests and intervals of claims, against scipy's and against plain enumeration."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from memloc.statistics.exact import among, at_random, fewest, mean_rank, median, one_of_two, pairings, share


def numbers(n, seed=0):
    return np.random.default_rng(seed).lognormal(size=n)


@pytest.mark.parametrize("n", [1, 6, 7, 30])
def test_shares_have_binomial_tests_and_what_these_do_not_reject(n):
    for successes in range(n + 1):
        found = share(successes, n)
        expected = stats.binomtest(successes, n).proportion_ci(0.9, method="exact")
        assert found.interval(0.9) == pytest.approx((expected.low, expected.high), abs=1e-12)
        for bound in (0.1, 0.5, 0.75):
            above, below = (
                stats.binomtest(successes, n, bound, alternative=side).pvalue for side in ("greater", "less")
            )
            assert (found.above(bound).p, found.below(bound).p) == pytest.approx((above, below))


@pytest.mark.parametrize("n", [6, 9, 40])
@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_medians_have_the_order_statistics(n, confidence):
    values = numbers(n)
    expected = stats.quantile_test(values, p=0.5).confidence_interval(confidence)
    ends = [end if np.isfinite(end) else side for end, side in zip(expected, (-np.inf, np.inf), strict=True)]
    assert median([*values, np.nan]).interval(confidence) == pytest.approx(ends)
    found = median(values)
    assert (found.value, found.n) == (np.median(values), n)
    for bound in (0.5, values[0], 2.0):
        above, below = np.sum(values > bound), np.sum(values < bound)
        expected = [stats.binomtest(int(k), n, alternative="greater").pvalue for k in (above, below)]
        assert [found.above(bound).p, found.below(bound).p] == pytest.approx(expected)


@pytest.mark.parametrize(
    "kind", [share(17, 24), median(numbers(24)), among(5.0, numbers(199)), mean_rank([5, 6, 4], 10)]
)
def test_an_interval_holds_the_bounds_that_neither_side_rejects(kind):
    low, high = kind.interval(0.9)
    for end, inside in ((low, 1e-6), (high, -1e-6)):
        assert min(kind.above(end + inside).p, kind.below(end + inside).p) > 0.05
        assert min(kind.above(end - inside).p, kind.below(end - inside).p) <= 0.05


def test_no_units_have_no_value_and_few_no_end():
    for nothing in (share(0, 0), median([]), median([np.nan]), among(1.0, np.array([])), mean_rank([], 5)):
        assert np.isnan(nothing.value) and nothing.n == 0
    assert median(numbers(5)).interval(0.95) == (-np.inf, np.inf)
    assert among(1.0, numbers(38)).interval(0.95) == (-np.inf, np.inf)
    assert share(5, 5).interval(0.95) == pytest.approx((0.025 ** (1 / 5), 1))


def test_ranks_are_summed_as_all_trainings_are_counted():
    """Every place of three trainings with five heads is as likely."""
    sums = [sum(places) for places in product(range(5), repeat=3)]
    found = mean_rank([4, 3, 4], 4)
    assert found.value == pytest.approx(11 / 12)
    assert found.above(0.5).p == pytest.approx(np.mean([total >= 11 for total in sums]))
    assert found.above(0.6).p == pytest.approx(np.mean([total >= 11 - 0.1 * 12 for total in sums]))
    assert found.below(0.5).p == pytest.approx(np.mean([total <= 11 for total in sums]))


def test_orders_are_a_rank_test():
    others = np.arange(39.0)
    assert among(38.5, others).value == 19.5 and among(38.5, others).interval(0.95) == (0.5, 38.5)
    assert among(38.5, others).above(0).p == 1 / 40 and among(37.5, others).above(0).p == 2 / 40
    assert among(-0.5, others).below(0).p == 1 / 40


def test_the_units_that_would_decide_are_those_of_the_test():
    for found, bound in ((share(7, 10), 0.5), (share(2, 2), 0.6)):
        needed = int(found.above(bound).needed(0.025))
        more = share(int(found.value * needed), needed)
        assert (
            more.above(bound).p
            <= 0.025
            < share(int(found.value * 0.9 * needed), int(0.9 * needed)).above(bound).p
        )
    assert share(5, 10).above(0.5).needed(0.025) == np.inf
    assert [fewest(0.5, level) for level in (0.05, 0.01)] == [6, 8], "all on one side: 2 / 2 ** n"


def test_groups_are_compared_in_random_pairs_and_pairs_by_what_one_side_alone_has():
    first, second = at_random(np.arange(5), np.arange(100, 103))
    assert len(first) == len(second) == 3 and set(first) <= set(range(5)) and set(second) == {100, 101, 102}
    assert not np.array_equal(np.sort(first), first) or not np.array_equal(np.sort(second), second)
    found = one_of_two([1, 1, 1, 0, 0], [1, 0, 0, 1, 0])
    assert (found.value, found.n) == (pytest.approx(2 / 3), 3)


def test_all_pairings_within_strata_count_as_independent_pairs_of_the_same_error():
    """The error is that of resamples of both groups of every stratum."""
    random = np.random.default_rng(0)
    sizes = ((60, 200), (40, 30))
    strata = [(random.normal(0.3, 1, m).round(1), random.normal(0, 1, n).round(1)) for m, n in sizes]
    found = pairings([*strata, ([], [1.0])])
    of = lambda groups: [(a > b) + (a == b) / 2 for own in groups for a, b in product(*own)]  # noqa: E731
    assert found.value == pytest.approx(np.mean(of(strata)), abs=0.5 / found.n)
    draw = lambda: [tuple(random.choice(group, len(group)) for group in own) for own in strata]  # noqa: E731
    errors = np.std([np.mean(of(draw())) for _ in range(300)])
    assert np.sqrt(found.value * (1 - found.value) / found.n) == pytest.approx(errors, rel=0.15)


def test_few_pairings_and_those_that_all_agree_count_at_most_as_often_as_their_values():
    assert pairings([([2.0] * 9, [1.0] * 40), ([3.0], [1.0])]).n == 10, "ten pairs share no value"
    assert pairings([(np.ones(60), np.zeros(90))]).n == 60 and pairings([([], [])]).n == 0
    assert pairings([(np.arange(100.0), np.arange(100.0))]).n == 148, "one and a half for each value"
