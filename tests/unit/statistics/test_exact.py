"""Exact tests and intervals of claims, against scipy's and against plain enumeration."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from memloc.statistics.exact import fewest, mean_rank, mean_share, median, rate, share


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
    "kind",
    [
        rate([True] * 17 + [False] * 7),
        mean_share([[True] * 17 + [False] * 7, [True] * 16 + [False] * 7]),
        median(numbers(24)),
        median(numbers(24), numbers(31, seed=1)),
        mean_rank([5, 6, 4], 10),
    ],
)
def test_an_interval_holds_the_bounds_that_neither_side_rejects(kind):
    low, high = kind.interval(0.9)
    for end, inside in ((low, 1e-6), (high, -1e-6)):
        assert min(kind.above(end + inside).p, kind.below(end + inside).p) > 0.05
        assert min(kind.above(end - inside).p, kind.below(end - inside).p) <= 0.05


def test_no_units_have_no_value_and_few_no_end():
    for nothing in (
        share(0, 0),
        median([]),
        median([np.nan]),
        median([], numbers(3)),
        median(numbers(3), [np.nan]),
        rate([]),
        mean_rank([], 5),
        mean_share([[], []]),
    ):
        assert np.isnan(nothing.value) and nothing.n == 0
    assert median(numbers(5)).interval(0.95) == (-np.inf, np.inf)
    assert share(5, 5).interval(0.95) == pytest.approx((0.025 ** (1 / 5), 1))


def test_ranks_are_summed_as_all_trainings_are_counted():
    """Every place of three trainings with five heads is as likely; above one half, the head is first in some
    trainings, too, and behind all below."""
    sums = np.array([sum(places) for places in product(range(5), repeat=3)])
    found = mean_rank([4, 3, 4], 4)
    assert found.value == pytest.approx(11 / 12)
    assert found.above(0.5).p == pytest.approx(np.mean([total >= 11 for total in sums]))
    assert found.below(0.5).p == pytest.approx(np.mean([total <= 11 for total in sums]))
    for bound in (0.4, 0.6):
        chances = np.full(5, 0.8 / 5) + 0.2 * (np.arange(5) == (4 if bound > 0.5 else 0))
        weights = [np.prod(chances[[*places]]) for places in product(range(5), repeat=3)]
        assert np.dot(chances, np.arange(5)) / 4 == pytest.approx(bound)
        assert found.above(bound).p == pytest.approx(np.dot(weights, sums >= 11))
        assert found.below(bound).p == pytest.approx(np.dot(weights, sums <= 11))
    assert mean_rank([4, 4], 4).interval(0.9)[1] == 1 and mean_rank([0, 0], 4).interval(0.9)[0] == 0


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


@pytest.mark.parametrize(("place", "bound"), [(6, 0.4), (11, 0.5), (2, 0.3)])
def test_the_trainings_that_would_decide_are_about_those_of_the_test(place, bound):
    needed = mean_rank([place - 1, place + 1], 31).below(bound).needed(0.025)
    exactly = next(n for n in range(1, 200) if mean_rank([place] * n, 31).below(bound).p <= 0.025)
    assert needed == pytest.approx(exactly, abs=1)
    assert np.isinf(mean_rank([31 - place] * 5, 31).below(bound).needed(0.025))
    at_bound = mean_rank([3] * 5, 5).above(0.6), mean_rank([2] * 5, 5).below(0.4)
    assert all(np.isinf(tail.needed(0.025)) for tail in at_bound)


def test_groups_are_compared_in_all_pairs_which_count_as_the_mean_of_random_ones():
    rng, first, second = np.random.default_rng(0), 1 + numbers(11), numbers(8, seed=1)
    found = median([*first, np.nan], [np.nan, *second])
    differences = [one - other for one, other in product(first, second)]
    assert (found.value, found.n) == (pytest.approx(np.median(differences)), 8)
    pairings = [rng.permutation(first)[:8] - rng.permutation(second) for _ in range(4_000)]
    for bound in (0.0, 0.5, found.value, differences[3]):
        for tail, sign in ((found.above(bound), 1), (found.below(bound), -1)):
            yes = [np.sum(sign * pairs > sign * bound) for pairs in pairings]
            exactly = sum(sign * one > sign * bound for one in differences) / len(differences)
            assert tail.share == pytest.approx(exactly) == pytest.approx(np.mean(yes) / 8, abs=0.01)
            assert tail.p == pytest.approx(share(8 * exactly, 8).above(0.5).p)
    other = median(second[::-1], rng.permutation(first))
    assert other.value == pytest.approx(-found.value), "their order is no draw"
    assert other.interval(0.9) == pytest.approx([-end for end in found.interval(0.9)[::-1]])


def test_against_a_group_of_one_value_all_pairs_are_the_values_of_the_other():
    values = numbers(24)
    found, expected = median(values, [2.0] * 24), median(values - 2)
    assert (found.value, found.n) == (pytest.approx(expected.value), expected.n)
    assert found.interval(0.9) == pytest.approx(expected.interval(0.9))
    for bound in (-1.5, -0.5, 0.0):
        assert found.above(bound) == pytest.approx(expected.above(bound))
        assert found.below(bound) == pytest.approx(expected.below(bound))


def test_a_share_of_several_draws_is_that_of_their_mean_numbers():
    found, between = (
        mean_share([[True] * 9 + [False], [True] * 8]),
        mean_share([[True] * 8, [True] * 7 + [False]]),
    )
    assert (found.value, found.n) == (pytest.approx(17 / 18), 9)
    assert share(7, 8).above(0.5).p > between.above(0.5).p > share(8, 8).above(0.5).p
    same = mean_share([[True] * 17 + [False] * 7] * 3), share(17, 24)
    assert same[0].above(0.6).p == same[1].above(0.6).p and same[0].interval(0.9) == same[1].interval(0.9)
