"""Measures under many weightings against scikit-learn, one weighting at a time."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from memloc.detection import measures

RANDOM = np.random.default_rng(0)
POSITIVE = RANDOM.random(300) < 0.3
WEIGHTS = np.concatenate([np.ones((1, 300)), RANDOM.integers(0, 4, (5, 300))]).astype(float)
SCORES = {
    "distinct": POSITIVE + RANDOM.normal(size=300),
    "ties": np.round(POSITIVE + RANDOM.normal(size=300)),
    "one value": np.full(300, 0.3),
    "perfect": POSITIVE.astype(float),
}


@pytest.mark.parametrize("name", SCORES)
def test_areas_are_those_of_scikit_learn(name):
    curve = measures.curve(SCORES[name], POSITIVE, WEIGHTS)
    for number, weights in enumerate(WEIGHTS):
        area = roc_auc_score(POSITIVE, SCORES[name], sample_weight=weights)
        assert measures.auroc([curve])[number] == pytest.approx(area)
        precision = average_precision_score(POSITIVE, SCORES[name], sample_weight=weights)
        assert measures.average_precision(curve)[number] == pytest.approx(precision)


@pytest.mark.parametrize("name", SCORES)
def test_true_positives_are_those_of_the_curve(name):
    curve = measures.curve(SCORES[name], POSITIVE, WEIGHTS)
    for fpr in (0.02, 0.1, 0.5):
        for number, weights in enumerate(WEIGHTS):
            false, true, _ = roc_curve(POSITIVE, SCORES[name], sample_weight=weights, drop_intermediate=False)
            expected = true[false <= fpr + 1e-9].max()
            assert measures.tpr_at(curve, fpr)[number] == pytest.approx(expected)


def test_pairs_of_different_folds_are_not_compared():
    """Scores of the second fold are all higher: only an AUROC over all folds sees it."""
    rows = np.arange(300) < 150
    scores = SCORES["distinct"] + 100 * ~rows
    folds = [measures.curve(scores[some], POSITIVE[some], WEIGHTS[:, some]) for some in (rows, ~rows)]
    pairs = [
        (a, b) for some in (rows, ~rows) for a in scores[some & POSITIVE] for b in scores[some & ~POSITIVE]
    ]
    assert measures.auroc(folds)[0] == pytest.approx(np.mean([a > b for a, b in pairs]))


def test_a_rate_needs_ten_negatives():
    assert measures.smallest_fpr(5000) == 0.01
    assert measures.smallest_fpr(200) == pytest.approx(0.05)
    assert measures.smallest_fpr(100) == pytest.approx(0.1) and measures.smallest_fpr(1000) == 0.01
    assert measures.smallest_fpr(99) is None and measures.smallest_fpr(0) is None


def test_the_rate_of_ten_negatives_allows_ten_whatever_rounding_makes_of_it():
    """Ten negatives score above the only positive, and an eleventh one in the second case."""
    for n in range(100, 300):
        fpr = measures.smallest_fpr(n)
        for n_above, found in ((10, 1), (11, 0)):
            scores = np.concatenate([[1.0], np.where(np.arange(n) < n_above, 2.0, 0.0)])
            curve = measures.curve(scores, np.arange(n + 1) == 0, np.ones((1, n + 1)))
            assert measures.tpr_at(curve, fpr) == found, n


def test_equal_values_are_in_the_tenth_of_the_lowest_of_them():
    assert measures.tenths(np.array([5.0, 1, 2, 2, 2, 2, 2, 2, 2, 9])).tolist() == [8, 0, *[1] * 7, 9]
    assert np.bincount(measures.tenths(np.arange(25.0))).tolist() == [3, 2] * 5


def test_calibration_is_the_distance_of_predicted_and_found():
    chances = RANDOM.random(300)
    order = np.argsort(chances)
    expected = sum(
        abs((WEIGHTS[1][rows] * (chances[rows] - POSITIVE[rows])).sum()) for rows in np.split(order, 10)
    )
    found = measures.calibration_error(chances, POSITIVE, WEIGHTS)
    assert found[1] == pytest.approx(expected / WEIGHTS[1].sum())
    certain = measures.calibration_error(POSITIVE.astype(float), POSITIVE, WEIGHTS)
    assert certain == pytest.approx(0)
    assert measures.calibration_error(np.full(300, 0.3), POSITIVE, WEIGHTS)[0] == pytest.approx(
        abs(0.3 - POSITIVE.mean())
    )


def test_without_a_positive_nothing_is_measured():
    curve = measures.curve(SCORES["distinct"], np.zeros(300, bool), WEIGHTS)
    for found in (measures.auroc([curve]), measures.average_precision(curve), measures.tpr_at(curve, 0.1)):
        assert np.isnan(found).all()
