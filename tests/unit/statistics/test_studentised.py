"""Studentised bootstrap, against slow, obvious versions."""

import numpy as np
import pytest

from memloc.statistics import studentised as room
from memloc.statistics.studentised import ENOUGH, columns_alone, simultaneous, studentised


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


def test_missing_values_are_left_out_and_what_never_varies_widens_nothing():
    values = numbers(12, columns=3)
    more = np.column_stack([values, np.full(12, 0.9), np.full(12, np.nan)])
    found = simultaneous(more)
    assert np.array(found[:3]) == pytest.approx(np.array(simultaneous(values)))
    assert found[3][1:] == pytest.approx((0.9, 0.9, 12)) and found[4].n == 0 and np.isnan(found[4].value)
    gaps = np.append(values[:, 0], [np.nan] * 3)
    assert studentised(gaps).value == pytest.approx(values[:, 0].mean()) and studentised(gaps).n == 12


def test_values_at_a_floor_have_no_finite_interval():
    """One of eight differs: a third of the resamples lack it, and their |t| has no bound."""
    found = studentised([0.0] * 7 + [50.0])
    assert (found.value, found.low, found.high) == (6.25, -np.inf, np.inf)


@pytest.mark.parametrize("n", [0, 1, 5, ENOUGH - 1])
@pytest.mark.filterwarnings("ignore:Mean of empty")
def test_few_units_have_an_infinite_interval(n):
    for found in (studentised(numbers(n)), studentised(numbers(n), numbers(30))):
        assert found.n == n and not np.isfinite([found.low, found.high]).any()
    assert np.isfinite(studentised(numbers(ENOUGH), numbers(ENOUGH, 1))).all()


def test_columns_alone_have_the_interval_of_each():
    values = numbers(20, columns=3)
    assert np.array(columns_alone(values)) == pytest.approx(np.array([studentised(own) for own in values.T]))
