"""Where intervals begin, where samples replace enumeration, and what one that is nearly empty says."""

import numpy as np
import pytest
from scipy import stats

from memloc.statistics import uncertainty
from memloc.statistics.uncertainty import (
    MIN_N,
    MOST_EXACT,
    N_SUBSETS,
    _subset_means,
    cluster_interval,
    cluster_weights,
)


def numbers(n, seed=0):
    return np.random.default_rng(seed).normal(0.4, 1, n)


KINDS = {
    "mean": lambda values: uncertainty.mean(values),
    "difference": lambda values: uncertainty.difference(values, numbers(9, seed=1)),
    "paired": lambda values: uncertainty.paired(values),
    "proportion": lambda values: uncertainty.proportion(int(np.sum(values > 0)), len(values)),
    "clusters": lambda values: cluster_interval(
        cluster_weights(np.arange(len(values)), 200) @ values / len(values), len(values)
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_six_units_have_an_interval_and_five_have_none(kind):
    six, five = KINDS[kind](numbers(MIN_N)), KINDS[kind](numbers(MIN_N - 1))
    assert -np.inf < six.low < six.value < six.high < np.inf and six.n == 6
    assert (five.low, five.high, five.n) == (-np.inf, np.inf, 5)


@pytest.mark.parametrize("kind", ["mean", "difference", "paired", "proportion"])
@pytest.mark.filterwarnings("error")
def test_no_units_have_no_value_and_one_has_no_interval(kind):
    value, low, high, n = KINDS[kind](np.array([]))
    assert np.isnan(value) and (low, high, n) == (-np.inf, np.inf, 0)
    value, low, high, n = KINDS[kind](numbers(1))
    assert np.isfinite(value) and (low, high, n) == (-np.inf, np.inf, 1)


@pytest.mark.filterwarnings("error")
def test_a_mean_of_equal_values_has_no_interval():
    assert uncertainty.mean(np.full(8, 2.0)) == (2, -np.inf, np.inf, 8)
    assert uncertainty.difference(np.full(8, 2.0), np.ones(9)) == (1, -np.inf, np.inf, 8)


@pytest.mark.parametrize("n", [6, 60, 299])
def test_the_interval_of_none_or_of_all_holds_its_share(n):
    """Whatever rounding does: what is drawn from the share to its ends may not be negative."""
    for found in (uncertainty.proportion(successes, n) for successes in (0, n)):
        assert found.low <= found.value <= found.high


def test_the_difference_of_proportions_counts_the_smaller_group():
    six, five, many = (uncertainty.proportion(3, n) for n in (6, 5, 40))
    assert uncertainty.proportion_difference(many, six).n == 6
    assert np.isfinite(uncertainty.proportion_difference(many, six).low)
    assert uncertainty.proportion_difference(five, many)[1:] == (-np.inf, np.inf, 5)


@pytest.mark.parametrize("n", [MOST_EXACT + 1, 40])
def test_means_of_random_subsets_are_those_of_values(n):
    """One value of 1 among zeros: a mean over k of them is 1 / k or nothing, and half of them hold it."""
    found = _subset_means(np.eye(n)[0])
    assert len(found) == 9_999 and np.isfinite(found).all() and found.min() == 0
    sizes = 1 / found[found > 0]
    np.testing.assert_allclose(sizes, np.round(sizes))
    assert np.mean(found > 0) == pytest.approx(0.5, abs=0.03)
    assert sizes.mean() == pytest.approx((n + 1) / 2, rel=0.03)


def test_many_pairs_have_the_250th_of_the_means_of_random_subsets_at_either_end():
    values = numbers(MOST_EXACT + 1)
    means = np.sort(_subset_means(values))
    assert N_SUBSETS == 9_999 and uncertainty.paired(values)[1:3] == (means[249], means[-250])


@pytest.mark.parametrize(("n_below", "one_sided"), [(49, True), (50, False), (950, False), (951, True)])
def test_resamples_nearly_all_on_one_side_leave_the_interval_to_the_jackknife(n_below, one_sided):
    """Of a thousand, one in twenty is enough on the smaller side."""
    drawn = np.where(np.arange(1000) < n_below, -3.0, 3.0)
    left_out = np.linspace(-1, 1, 9)
    found = uncertainty.resampled(0.0, drawn, left_out)
    width = stats.t.ppf(0.975, 8) * np.sqrt(8) * np.std(left_out)
    assert (found[1:3] == pytest.approx((-width, width))) == one_sided


def test_resamples_are_bias_corrected_and_accelerated_as_efron_writes():
    """The quantiles of Efron 1987, written out, for skewed values and for a statistic with a bias."""
    rng = np.random.default_rng(0)
    values = rng.exponential(size=20)
    rows = rng.integers(20, size=(500, 20))
    drawn = np.array([values[row].std() for row in rows])
    left_out = np.array([np.delete(values, unit).std() for unit in range(20)])
    bias = stats.norm.ppf(np.mean(drawn < values.std()))
    away = left_out.mean() - left_out
    acceleration = (away**3).sum() / (6 * (away**2).sum() ** 1.5)
    ends = bias + stats.norm.ppf([0.025, 0.975])
    tails = stats.norm.cdf(bias + ends / (1 - acceleration * ends))
    found = uncertainty.resampled(values.std(), drawn, left_out)
    assert abs(bias) > 0.1 and acceleration > 0.02
    assert found == pytest.approx((values.std(), *np.quantile(drawn, tails), 20))


def test_a_cluster_without_which_nothing_is_defined_leaves_the_interval_finite():
    values = numbers(8)
    resamples = cluster_weights(np.arange(8), 200) @ values / 8
    resamples[-3] = np.nan
    found = cluster_interval(resamples, 8)
    others = np.delete(resamples[-8:], 5)
    expected = uncertainty.resampled(resamples[0], resamples[1:-8], others)._replace(n=8)
    assert found == pytest.approx(expected)
    assert np.isfinite(found).all() and found.low < found.value < found.high
