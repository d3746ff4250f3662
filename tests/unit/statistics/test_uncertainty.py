"""Intervals and tests of figures against slow, obvious versions, and where intervals begin."""

from itertools import combinations

import numpy as np
import pandas as pd
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


@pytest.mark.parametrize("n", [6, 9, 40])
def test_a_mean_has_students_t(n):
    values = numbers(n)
    found = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert uncertainty.mean(values) == pytest.approx((values.mean(), found.low, found.high, n))


@pytest.mark.parametrize(("n", "m"), [(6, 6), (7, 30), (50, 12)])
def test_a_difference_has_welchs_t(n, m):
    first, second = numbers(n), 3 * numbers(m, seed=1)
    found = stats.ttest_ind(first, second, equal_var=False).confidence_interval(0.95)
    expected = (first.mean() - second.mean(), found.low, found.high, min(n, m))
    assert uncertainty.difference(first, second) == pytest.approx(expected)


@pytest.mark.parametrize("n", [6, 8, 10])
def test_few_pairs_have_the_means_that_no_sign_flip_test_rejects(n):
    values = numbers(n)
    means = sorted(np.mean(subset) for size in range(1, n + 1) for subset in combinations(values, size))
    k = int(0.025 * 2**n)
    assert uncertainty.paired(values) == pytest.approx((values.mean(), means[k - 1], means[-k], n))


@pytest.mark.parametrize("successes", [0, 1, 5, 12])
def test_a_proportion_has_wilsons_interval(successes):
    n, z = 12, stats.norm.ppf(0.975)
    share = successes / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    width = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    assert uncertainty.proportion(successes, n) == pytest.approx((share, centre - width, centre + width, n))


@pytest.mark.parametrize("sign", [1, -1])
def test_an_interval_holds_its_value_also_where_resamples_are_all_on_one_side(sign):
    drawn, left_out = sign * np.linspace(5, 11, 50), np.full(12, sign * 12.0)
    value, low, high, _ = uncertainty.resampled(sign * 12.0, drawn, left_out)
    assert value == sign * 12 and low <= value <= high and low < high


def test_holm_multiplies_by_how_many_are_left():
    assert uncertainty.holm([0.04, 0.01, 0.02, 0.9]) == pytest.approx([0.08, 0.04, 0.06, 0.9])
    assert uncertainty.holm([0.6, 0.7]) == pytest.approx([1, 1])


def test_infinite_ends_are_missing_in_tables():
    index = pd.Index([3, 7], name="position")
    found = uncertainty.table([uncertainty.mean(range(10)), uncertainty.mean([4.0])], index)
    assert found.columns.tolist() == ["value", "low", "high", "n"] and found.index.equals(index)
    assert found.loc[7].tolist()[0::3] == [4, 1] and found.loc[7, ["low", "high"]].isna().all()
    assert np.isfinite(found.loc[3].astype(float)).all()


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


CLUSTER = np.repeat(np.arange(12), [1, 2, 3, 4, 5, 6, 1, 1, 2, 2, 3, 3])


def test_weights_are_those_of_whole_clusters():
    weights = cluster_weights(CLUSTER, n_resamples=50)
    assert weights.shape == (1 + 50 + 12, len(CLUSTER)) and (weights[0] == 1).all()
    for row in weights:
        assert all(len(set(row[number == CLUSTER])) == 1 for number in range(12))
    firsts = [np.flatnonzero(number == CLUSTER)[0] for number in range(12)]
    assert (weights[1:51, firsts].sum(axis=1) == 12).all()
    left_out = weights[51:]
    assert [np.unique(CLUSTER[row == 0]).tolist() for row in left_out] == [[n] for n in range(12)]


def test_clusters_of_one_row_give_the_plain_bootstrap_of_a_mean():
    values = np.random.default_rng(1).normal(size=40)
    weights = cluster_weights(np.arange(40), n_resamples=4000)
    found = cluster_interval(weights @ values / weights.sum(axis=1), 40)
    error = values.std(ddof=1) / np.sqrt(40)
    assert found.value == pytest.approx(values.mean()) and found.n == 40
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * error, rel=0.1)


def test_equal_rows_of_a_cluster_do_not_narrow_the_interval():
    values = np.random.default_rng(1).normal(size=30)
    few, many = (
        cluster_interval(w @ v / w.sum(axis=1), 30)
        for w, v in (
            (cluster_weights(np.arange(30)), values),
            (cluster_weights(np.repeat(np.arange(30), 9)), np.repeat(values, 9)),
        )
    )
    assert many.low == pytest.approx(few.low) and many.high == pytest.approx(few.high)


def test_few_clusters_and_undefined_resamples_decide_nothing_and_some_are_left_out():
    assert cluster_interval(np.arange(9.0), 5).high == np.inf
    nowhere = np.array([0.5, *[np.nan] * 99, *[0.5] * 6])
    assert cluster_interval(nowhere, 6) == (0.5, -np.inf, np.inf, 6)
    values = np.concatenate([[0.5], np.linspace(0, 1, 101), [np.nan] * 20, np.full(6, 0.5)])
    found = cluster_interval(values, 6)
    assert 0 <= found.low < 0.5 < found.high <= 1
