"""Samples made from a sample: counted by hand."""

import numpy as np
import pytest

from memloc.data.draws import draw, draw_controls, split


def test_parts_hold_every_paragraph_once_at_random():
    parts = split(23, np.random.default_rng(0))
    assert [len(part) for part in parts] == [3, 3, 3] + [2] * 7
    assert sorted(np.concatenate(parts)) == list(range(23))
    assert np.concatenate(parts).tolist() != list(range(23))
    assert len(split(4, np.random.default_rng(0))) == 4


def test_weights_make_means_of_the_paragraphs_in_a_sample():
    """Units of 2, 1 and 3 paragraphs, whose sums are known."""
    draws = draw([2, 1, 3], [[0], [1, 2]], np.random.default_rng(0), n_resamples=50)
    sums = np.array([20.0, 5.0, 60.0])
    means = draws.weights @ sums
    assert draws.keys["sample"].tolist() == ["part"] * 2 + ["rest"] * 2 + ["resample"] * 50
    assert draws.keys["number"].tolist() == [0, 1, 0, 1, *range(50)]
    assert means[:4] == pytest.approx([10, 65 / 4, 65 / 4, 10])
    assert draws.weights @ np.array([2, 1, 3]) == pytest.approx(1)
    assert set(np.round(means[4:], 6)) <= {
        round(float(np.dot(count, sums) / np.dot(count, [2, 1, 3])), 6)
        for count in ([a, b, 3 - a - b] for a in range(4) for b in range(4 - a))
    }


def test_resamples_are_drawn_with_replacement():
    """Of 27 draws of three units from three, 6 hold every unit, and 3 a single one."""
    draws = draw([1, 1, 1], [[0], [1], [2]], np.random.default_rng(0), n_resamples=4000)
    most = np.round(draws.weights[6:] * 3).max(axis=1).astype(int)
    assert np.bincount(most) / 4000 == pytest.approx([0, 6 / 27, 18 / 27, 3 / 27], abs=0.03)


def test_controls_differ_within_a_draw_and_follow_the_seed():
    drawn = draw_controls(200, 6, 4, np.random.default_rng(5))
    assert drawn.shape == (200, 4)
    assert all(len(set(row)) == 4 for row in drawn.tolist())
    assert np.unique(drawn, axis=0).shape[0] > 100
    counts = np.bincount(drawn.flatten(), minlength=6)
    assert counts.min() > 90 and counts.max() < 180
    assert (drawn == draw_controls(200, 6, 4, np.random.default_rng(5))).all()


def test_too_few_paragraphs_to_draw_from():
    with pytest.raises(ValueError, match="5 controls asked for, but only 3"):
        draw_controls(2, 3, 5, np.random.default_rng(0))
