"""Intervals and tests of figures, against slow, obvious versions."""

import subprocess
import sys
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from memloc.statistics import uncertainty


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


@pytest.mark.parametrize("successes", [0, 1, 5, 12])
def test_a_proportion_has_wilsons_interval(successes):
    n, z = 12, stats.norm.ppf(0.975)
    share = successes / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    width = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    assert uncertainty.proportion(successes, n) == pytest.approx((share, centre - width, centre + width, n))


def test_a_difference_of_proportions_has_newcombes_interval():
    """The example of Newcombe 1998, table II: 56/70 and 48/80, method 10."""
    found = uncertainty.proportion_difference(uncertainty.proportion(56, 70), uncertainty.proportion(48, 80))
    assert found == pytest.approx((0.2, 0.0524, 0.3339, 70), abs=1e-4)


@pytest.mark.parametrize("sign", [1, -1])
def test_an_interval_holds_its_value_also_where_resamples_are_all_on_one_side(sign):
    drawn, left_out = sign * np.linspace(5, 11, 50), np.full(12, sign * 12.0)
    value, low, high, _ = uncertainty.resampled(sign * 12.0, drawn, left_out)
    assert value == sign * 12 and low <= value <= high and low < high


def test_holm_multiplies_by_how_many_are_left():
    assert uncertainty.holm([0.04, 0.01, 0.02, 0.9]) == pytest.approx([0.08, 0.04, 0.06, 0.9])
    assert uncertainty.holm([0.6, 0.7]) == pytest.approx([1, 1])


def test_scipy_stats_is_loaded_only_where_it_is_used():
    """Each figure is a process of its own: the import took half a second of each."""
    code = f"import sys, {uncertainty.__name__}; print('scipy.stats' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"


def test_infinite_ends_are_missing_in_tables():
    index = pd.Index([3, 7], name="position")
    found = uncertainty.table([uncertainty.mean(range(10)), uncertainty.mean([4.0])], index)
    assert found.columns.tolist() == ["value", "low", "high", "n"] and found.index.equals(index)
    assert found.loc[7].tolist()[0::3] == [4, 1] and found.loc[7, ["low", "high"]].isna().all()
    assert np.isfinite(found.loc[3].astype(float)).all()
