"""Intervals of figures against slow, obvious versions, and where they begin."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from memloc.statistics import uncertainty
from memloc.statistics.uncertainty import ENOUGH, MIN_N, jackknifed, mean, simultaneous, without_each


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
    monkeypatch.setattr(uncertainty, "N_RESAMPLES", 199)
    groups = [numbers(n, seed=n) * scale for n, scale in zip(sizes, (1, 5), strict=False)]
    found = mean(*groups)
    rng = np.random.default_rng(0)
    times = [rng.multinomial(n, np.full(n, 1 / n), size=199) for n in sizes]
    reach = np.sort(slow_t(groups, times))[190 - 1]
    error = np.sqrt(sum(group.var() / (len(group) - 1) for group in groups))
    value = groups[0].mean() - (groups[1].mean() if len(groups) > 1 else 0)
    assert found == pytest.approx((value, value - reach * error, value + reach * error, min(sizes)))


def test_intervals_that_hold_together_are_as_wide_as_the_largest_t_asks_for():
    values = numbers(20, columns=10)
    alone = [mean(column) for column in values.T]
    together = simultaneous(values)
    widths = [(i.high - i.low) / values[:, c].std(ddof=1) for c, i in enumerate(together)]
    assert widths == pytest.approx([widths[0]] * 10), "as many standard errors for each"
    assert all(a.value == pytest.approx(b.value) for a, b in zip(alone, together, strict=True))
    assert widths[0] > 1.2 * max((i.high - i.low) / values[:, c].std(ddof=1) for c, i in enumerate(alone))


def test_missing_values_are_left_out_and_what_never_varies_widens_nothing():
    values = numbers(12, columns=3)
    more = np.column_stack([values, np.full(12, 0.9), np.full(12, np.nan)])
    found = simultaneous(more)
    assert np.array(found[:3]) == pytest.approx(np.array(simultaneous(values)))
    assert found[3] == pytest.approx((0.9, -np.inf, np.inf, 12))
    assert found[4].n == 0 and np.isnan(found[4].value)
    gaps = np.append(values[:, 0], [np.nan] * 3)
    assert mean(gaps).value == pytest.approx(values[:, 0].mean()) and mean(gaps).n == 12


def test_values_at_a_floor_have_no_finite_interval():
    """One of eight differs: a third of the resamples lack it, and their |t| has no bound."""
    found = mean([0.0] * 7 + [50.0])
    assert (found.value, found.low, found.high) == (6.25, -np.inf, np.inf)


@pytest.mark.parametrize("successes", [0, 1, 5, 12])
def test_a_proportion_has_scipys_exact_interval(successes):
    expected = stats.binomtest(successes, 12).proportion_ci(method="exact")
    assert uncertainty.proportion(successes, 12) == pytest.approx((successes / 12, *expected, 12))


@pytest.mark.parametrize("n", [6, 60, 299])
def test_the_interval_of_none_or_of_all_holds_its_share(n):
    """Whatever rounding does: what is drawn from the share to its ends may not be negative."""
    for found in (uncertainty.proportion(successes, n) for successes in (0, n)):
        assert found.low <= found.value <= found.high


def test_holm_multiplies_by_how_many_are_left():
    assert uncertainty.holm([0.04, 0.01, 0.02, 0.9]) == pytest.approx([0.08, 0.04, 0.06, 0.9])
    assert uncertainty.holm([0.6, 0.7]) == pytest.approx([1, 1])


def test_infinite_ends_are_missing_in_tables():
    index = pd.Index([3, 7], name="position")
    found = uncertainty.table([mean(range(10)), mean([4.0])], index)
    assert found.columns.tolist() == ["value", "low", "high", "n"] and found.index.equals(index)
    assert found.loc[7].tolist()[0::3] == [4, 1] and found.loc[7, ["low", "high"]].isna().all()
    assert np.isfinite(found.loc[3].astype(float)).all()


def left_out(values):
    return np.array([np.delete(values, place).mean() for place in range(len(values))])


KINDS = {
    "mean": (ENOUGH, mean),
    "difference": (ENOUGH, lambda values: mean(values, numbers(9, seed=1))),
    "proportion": (MIN_N, lambda values: uncertainty.proportion(int(np.sum(values > 0)), len(values))),
    "clusters": (MIN_N, lambda values: jackknifed(values.mean(), left_out(values))),
}


@pytest.mark.parametrize("kind", KINDS)
def test_an_interval_begins_at_the_smallest_number_of_units(kind):
    least, interval = KINDS[kind]
    enough, few = interval(numbers(least)), interval(numbers(least - 1))
    assert -np.inf < enough.low < enough.value < enough.high < np.inf and enough.n == least
    assert (few.low, few.high, few.n) == (-np.inf, np.inf, least - 1)


@pytest.mark.parametrize("kind", ["mean", "difference", "proportion"])
@pytest.mark.filterwarnings("error")
def test_no_units_have_no_value_and_one_has_no_interval(kind):
    interval = KINDS[kind][1]
    value, low, high, n = interval(np.array([]))
    assert np.isnan(value) and not np.isfinite([low, high]).any() and n == 0
    value, low, high, n = interval(numbers(1))
    assert np.isfinite(value) and (low, high, n) == (-np.inf, np.inf, 1)


@pytest.mark.filterwarnings("error")
def test_a_mean_of_equal_values_has_no_interval():
    assert mean(np.full(8, 2.0)) == (2, -np.inf, np.inf, 8)
    assert mean(np.full(8, 2.0), np.ones(9)) == (1, -np.inf, np.inf, 8)


def test_the_jackknife_of_a_mean_is_students_t():
    """Clusters of one row: what is known in closed form."""
    values = numbers(12)
    found = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    expected = (values.mean(), found.low, found.high, 12)
    assert jackknifed(values.mean(), left_out(values)) == pytest.approx(expected)


def test_equal_rows_of_a_cluster_do_not_narrow_the_interval():
    values = numbers(10)
    few, many = (
        jackknifed(rows.mean(), (weights := without_each(cluster)) @ rows / weights.sum(axis=1))
        for cluster, rows in ((np.arange(10), values), (np.repeat(np.arange(10), 9), np.repeat(values, 9)))
    )
    assert many == pytest.approx(few)


def test_the_interval_of_an_auroc_is_symmetric_in_log_odds_and_stays_below_one():
    """To first order: the error of the log odds is that of the AUROC over p (1 - p)."""
    rng = np.random.default_rng(0)
    label, scores = np.arange(16) % 2, rng.normal(size=16) + 2.5 * (np.arange(16) % 2)
    whole = roc_auc_score(label, scores)
    parts = np.array([roc_auc_score(np.delete(label, i), np.delete(scores, i)) for i in range(16)])
    value, low, high, n = jackknifed(whole, parts, odds=True)
    error = np.sqrt(15 / 16 * ((parts - parts.mean()) ** 2).sum()) / (whole * (1 - whole))
    log_odds = [np.log(p / (1 - p)) for p in (low, value, high)]
    assert np.diff(log_odds) == pytest.approx([stats.t.ppf(0.975, 15) * error] * 2)
    assert 0.9 < value < high < 1 and n == 16 and jackknifed(whole, parts).high > 1


def test_weights_leave_out_a_whole_cluster():
    cluster = np.repeat([4, 1, 7], [2, 1, 3])
    expected = [[1, 1, 0, 1, 1, 1], [0, 0, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0]]
    assert without_each(cluster).tolist() == expected


@pytest.mark.filterwarnings("error")
def test_few_clusters_and_what_never_varies_decide_nothing_and_undefined_values_are_left_out():
    assert jackknifed(0.5, np.linspace(0, 1, 5)) == (0.5, -np.inf, np.inf, 5)
    for odds in (False, True):
        assert jackknifed(1.0, np.ones(9), odds) == (1, -np.inf, np.inf, 9)
        assert jackknifed(0.5, np.full(9, np.nan), odds) == (0.5, -np.inf, np.inf, 9)
    values = np.append(np.linspace(0.4, 0.6, 8), np.nan)
    error = np.sqrt(7) * values[:8].std()
    assert jackknifed(0.5, values).high == pytest.approx(0.5 + stats.t.ppf(0.975, 8) * error)
