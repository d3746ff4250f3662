"""Whole clusters are resampled: against plain loops, and by coverage."""

import numpy as np
import pytest

from memloc.statistics.uncertainty import cluster_interval, cluster_weights

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
