"""Intervals and tests: against slow, obvious versions, and by what they promise: coverage and error rates."""

import subprocess
import sys
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from memloc.statistics import uncertainty
from memloc.statistics.uncertainty import MIN_N

NORMAL, SKEWED = "normal", "skewed"


def numbers(n, *, seed=0, columns=None):
    return np.random.default_rng(seed).normal(0.4, 1, n if columns is None else (n, columns))


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


def test_many_pairs_have_nearly_students_interval():
    values = numbers(200)
    assert uncertainty.paired(values)[1:3] == pytest.approx(uncertainty.mean(values)[1:3], abs=0.02)
    assert uncertainty.paired(values) == uncertainty.paired(values)


@pytest.mark.parametrize("successes", [0, 1, 5, 12])
def test_a_proportion_has_wilsons_interval(successes):
    n, z = 12, stats.norm.ppf(0.975)
    share = successes / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    width = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    assert uncertainty.proportion(successes, n) == pytest.approx((share, centre - width, centre + width, n))


def test_the_interval_of_none_or_of_all_holds_its_share():
    """Whatever rounding does: what is drawn from the share to its ends may not be negative."""
    found = [uncertainty.proportion(successes, n) for n in range(6, 300) for successes in (0, n)]
    assert all(share.low <= share.value <= share.high for share in found)


def test_a_difference_of_proportions_has_newcombes_interval():
    """The example of Newcombe 1998, table II: 56/70 and 48/80, method 10."""
    found = uncertainty.proportion_difference(uncertainty.proportion(56, 70), uncertainty.proportion(48, 80))
    assert found == pytest.approx((0.2, 0.0524, 0.3339, 70), abs=1e-4)


def test_an_auroc_counts_pairs_and_halves_of_ties():
    first, second = np.array([3.0, 2.0, 1.0, 2.0]), np.array([2.0, 0.0, 5.0])
    wins = np.mean([(a > b) + (a == b) / 2 for a in first for b in second])
    assert uncertainty.auroc(first, second)[0] == pytest.approx(wins)
    assert uncertainty.auroc(second, first)[0] == pytest.approx(1 - wins)


@pytest.mark.parametrize(("n", "m"), [(8, 20), (30, 8)])
@pytest.mark.parametrize("shift", [0, 0.9, 20])
def test_an_auroc_ends_where_its_score_is_two_standard_errors_away(n, m, shift):
    """Newcombe 2006, method 5, by a search over a grid of probabilities."""
    value, low, high, size = uncertainty.auroc(numbers(n) + shift, numbers(m, seed=1))
    grid = np.linspace(0, 1, 100_001)
    star = (n + m) / 2 - 1
    variance = grid * (1 - grid) * (1 + star * (1 - grid) / (2 - grid) + star * grid / (1 + grid)) / (n * m)
    inside = grid[np.abs(value - grid) <= stats.norm.ppf(0.975) * np.sqrt(variance)]
    assert (low, high, size) == pytest.approx((inside.min(), inside.max(), min(n, m)), abs=2e-5)
    assert 0 <= low < value <= high <= 1


@pytest.mark.parametrize(
    ("n", "statistic"), [(25, np.mean), (25, np.median), (25, np.std), (uncertainty.MIN_N, np.mean)]
)
def test_the_bootstrap_is_bias_corrected_and_accelerated_as_scipys(n, statistic):
    values = numbers(n)
    found = uncertainty.bootstrap(n, lambda units: statistic(values[units]))
    expected = stats.bootstrap(
        (values,), statistic, n_resamples=5_000, method="BCa", rng=1
    ).confidence_interval
    assert found.value == statistic(values)
    assert found[1:3] == pytest.approx(tuple(expected), abs=0.1 * (expected.high - expected.low))


@pytest.mark.parametrize("sign", [1, -1])
def test_an_interval_holds_its_value_also_where_resamples_are_all_on_one_side(sign):
    """Fewer different units than all: their number is smaller in every resample."""
    value, low, high, _ = uncertainty.bootstrap(12, lambda units: sign * len(set(units)))
    assert value == sign * 12 and low <= value <= high and low < high


def test_holm_multiplies_by_how_many_are_left():
    assert uncertainty.holm([0.04, 0.01, 0.02, 0.9]) == pytest.approx([0.08, 0.04, 0.06, 0.9])
    assert uncertainty.holm([0.6, 0.7]) == pytest.approx([1, 1])


INTERVALS = {
    "mean": uncertainty.mean,
    "difference": lambda values: uncertainty.difference(values, values),
    "paired": uncertainty.paired,
    "proportion": lambda values: uncertainty.proportion(int(np.sum(values > 0)), len(values)),
    "bootstrap": lambda values: uncertainty.bootstrap(len(values), lambda units: float(values[units].mean())),
    "auroc": lambda values: uncertainty.auroc(values, values),
}


@pytest.mark.parametrize("kind", INTERVALS)
@pytest.mark.parametrize("n", range(1, MIN_N))
@pytest.mark.filterwarnings("error")
def test_few_units_have_an_infinite_interval(kind, n):
    value, low, high, size = INTERVALS[kind](numbers(n))
    assert np.isfinite(value) and (low, high, size) == (-np.inf, np.inf, n)


@pytest.mark.parametrize("kind", ["mean", "difference", "paired", "proportion", "auroc"])
@pytest.mark.filterwarnings("error")
def test_no_units_have_no_value(kind):
    value, low, high, size = INTERVALS[kind](np.array([]))
    assert np.isnan(value) and (low, high, size) == (-np.inf, np.inf, 0)


@pytest.mark.parametrize("kind", ["mean", "difference", "paired", "bootstrap"])
@pytest.mark.filterwarnings("error")
def test_where_nothing_varies_the_interval_is_a_point(kind):
    value = 0 if kind == "difference" else 2
    assert INTERVALS[kind](np.full(8, 2.0)) == pytest.approx((value, value, value, 8))


def draws(kind, n, shape, rng):
    """A random interval of a kind and the value that it should hold."""

    def values(size=n):
        return rng.normal(size=size) if shape == NORMAL else rng.exponential(size=size) - 1

    if kind == "mean":
        return uncertainty.mean(values()), 0
    if kind == "paired":
        return uncertainty.paired(values() - values()), 0
    if kind == "difference":
        return uncertainty.difference(values(), values(2 * n)), 0
    if kind == "proportion":
        return uncertainty.proportion(rng.binomial(n, 0.3), n), 0.3
    if kind == "proportion difference":
        pair = [uncertainty.proportion(rng.binomial(n, share), n) for share in (0.7, 0.4)]
        return uncertainty.proportion_difference(*pair), 0.3
    return uncertainty.auroc(values() + 1, values(2 * n)), float(stats.norm.cdf(np.sqrt(0.5)))


def misses(kind, n, shape, repeats):
    """Shares of intervals that lie above, and below, the value that they should hold."""
    rng = np.random.default_rng(0)
    found = [draws(kind, n, shape, rng) for _ in range(repeats)]
    above = np.mean([interval.low > true for interval, true in found])
    return above, np.mean([interval.high < true for interval, true in found])


# Largest share of misses, of both sides. Few skewed values deceive t: verdicts do not rest on it.
COVERAGE = [
    ("mean", NORMAL, 0.05),
    ("mean", SKEWED, 0.13),
    ("paired", NORMAL, 0.05),
    ("paired", SKEWED, 0.05),
    ("difference", NORMAL, 0.06),
    ("difference", SKEWED, 0.11),
    ("proportion", NORMAL, 0.07),
    ("proportion difference", NORMAL, 0.06),
    ("auroc", NORMAL, 0.07),
]


@pytest.mark.parametrize(("kind", "shape", "most"), COVERAGE)
def test_intervals_hold_the_true_value(kind, shape, most):
    repeats = 400
    assert sum(misses(kind, 8, shape, repeats)) <= most + 2.5 * np.sqrt(most * (1 - most) / repeats)


@pytest.mark.stress
@pytest.mark.parametrize("n", [6, 8, 12, 50])
@pytest.mark.parametrize(("kind", "shape", "most"), COVERAGE)
def test_intervals_hold_the_true_value_in_many_simulations(kind, shape, most, n):
    repeats = 1_000 if n > uncertainty.MOST_EXACT else 10_000
    assert sum(misses(kind, n, shape, repeats)) <= most + 2.5 * np.sqrt(most * (1 - most) / repeats)


def test_scipy_stats_is_loaded_only_where_it_is_used():
    """Figures and topics of claims are processes of their own: the import took half a second of each."""
    code = f"import sys, {uncertainty.__name__}; print('scipy.stats' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"
