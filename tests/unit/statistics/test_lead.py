"""The lead of the largest of several means: found on half of the units, judged on the others."""

import numpy as np
import pytest

from memloc.statistics.uncertainty import lead, lead_of_parts, mean, paired

APART = np.arange(4)


def made_up(means, n=40, seed=0):
    return np.array(means) + np.random.default_rng(seed).normal(size=(n, len(means)))


def test_lead_is_that_of_the_found_one_over_its_rival_among_the_other_units():
    values = made_up([0, 5, 2, 1])
    found = lead(values, APART)
    judging = values[1::2]
    assert found.n == 20
    assert found.value == pytest.approx((judging[:, 1] - judging[:, 2]).mean())
    assert found.high == pytest.approx(paired(judging[:, 1] - judging[:, 2]).high)


def test_the_low_end_is_the_lowest_of_those_to_all_others():
    values = made_up([0, 5, 2, 1])
    values[1::2, 3] += 5  # the other units see another rival
    judging = values[1::2]
    lows = [paired(judging[:, 1] - judging[:, other]).low for other in (0, 2, 3)]
    assert lead(values, APART).low == pytest.approx(min(lows)) == pytest.approx(lows[2])


def test_units_that_choose_do_not_judge():
    values = made_up([0, 0, 0, 0])
    values[::2, 2] += 100
    assert abs(lead(values, APART).value) < 2


def test_candidates_of_one_group_are_no_rivals():
    values = made_up([0, 5, 5, 1])
    assert lead(values, APART).low < 0 < 2 < lead(values, np.array([0, 1, 1, 2])).low


def test_a_given_group_is_not_looked_for_but_its_candidate_is():
    values = made_up([0, 5, 2, 1])
    groups = np.array([0, 1, 2, 2])
    judging = values[1::2]
    found = lead(values, groups, 2)
    assert found.value == pytest.approx((judging[:, 2] - judging[:, 1]).mean())
    assert found.high < 0
    assert lead(values, groups, 1) == lead(values, groups)


def test_a_lead_needs_rivals():
    with pytest.raises(ValueError, match="two groups"):
        lead(made_up([0, 1]), np.array([3, 3]))


def test_few_units_have_an_infinite_interval():
    assert lead(made_up([0, 50], n=11), np.arange(2)).low == -np.inf
    assert lead(made_up([0, 50], n=12), np.arange(2)).low > 0


def test_equal_candidates_lead_by_chance_in_few_cases():
    """At most 2.5 % of 200 searches, give or take three standard errors."""
    leads = [lead(made_up([0, 0, 0], n=24, seed=seed), np.arange(3)).low > 0 for seed in range(200)]
    assert np.mean(leads) < 0.025 + 3 * np.sqrt(0.025 * 0.975 / 200)


def test_the_lead_of_parts_has_the_lowest_low_end_of_all_rivals():
    behind = made_up([3, 1, 2, 0], n=10)
    behind[:, 3] = np.nan  # the found one itself
    found = lead_of_parts(behind[:, 0], behind)
    assert found.value == pytest.approx(behind[:, 0].mean()) and found.high == mean(behind[:, 0]).high
    assert found.low == pytest.approx(mean(behind[:, 1]).low)


def test_what_is_found_in_some_parts_only_leads_itself_by_nothing():
    behind = np.full((10, 2), 5.0) + made_up([0, 0], n=10) / 10
    behind[:5, 1], behind[5:, 0] = np.nan, np.nan
    assert lead_of_parts(np.nanmax(behind, axis=1), behind).low == pytest.approx(
        mean(np.nan_to_num(behind[:, 0])).low, abs=0.2
    )
