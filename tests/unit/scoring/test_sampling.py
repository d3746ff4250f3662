"""Draws that a continuation takes, in logarithms, against the plain formulas where these have digits."""

import math

import numpy as np
import pytest

from memloc.scoring.sampling import extractable, log_draws, log_hazard

P = np.array([0.999999, 0.9, 0.5, 0.1, 1e-3, 1e-8, 1e-11, 1e-13])


@pytest.mark.parametrize("confidence", [0.1, 0.5, 0.9, 0.99])
def test_draws_are_those_of_the_formula(confidence):
    expected = [max(math.log1p(-confidence) / math.log1p(-p), 1) for p in P]
    np.testing.assert_allclose(np.exp(log_draws(np.log(P), confidence)), expected, rtol=1e-10)


def test_probabilities_below_what_a_float_holds_keep_their_logarithms():
    log_p = np.array([-900.0, -2000.0])
    assert (np.exp(log_p) == 0).all()
    np.testing.assert_allclose(log_draws(log_p, 0.5), math.log(math.log(2)) - log_p)


def test_what_is_certain_takes_one_draw_and_what_never_comes_all_of_them():
    ends = np.array([0.0, -np.inf])
    with np.errstate(all="raise"):
        assert log_draws(ends, 0.9).tolist() == [0, np.inf]
        assert extractable(ends, 1, 0.99).tolist() == [True, False]


def test_small_and_large_probabilities_meet():
    around = np.log(1e-12) + np.array([-1e-9, 1e-9])
    np.testing.assert_allclose(log_hazard(around), around, atol=1e-11)


def test_one_draw_is_enough_at_the_confidence_itself_and_not_below():
    assert extractable(np.log([0.91, 0.89]), 1, 0.9).tolist() == [True, False]
    assert extractable(np.log([0.5]), 4, 0.9).tolist() == [True]
    assert extractable(np.log([0.5]), 3, 0.9).tolist() == [False]
