"""Measures under many weightings against scikit-learn, one weighting at a time."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from memloc.detection.study import Judge, aurocs

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
    found = aurocs(SCORES[name], Judge(POSITIVE, WEIGHTS, [slice(None)], 0))
    for number, weights in enumerate(WEIGHTS):
        area = roc_auc_score(POSITIVE, SCORES[name], sample_weight=weights)
        assert found[number] == pytest.approx(area)


def test_pairs_of_different_folds_are_not_compared():
    """Scores of the second fold are all higher: only an AUROC over all folds sees it."""
    rows = np.arange(300) < 150
    scores = SCORES["distinct"] + 100 * ~rows
    pairs = [
        (a, b) for some in (rows, ~rows) for a in scores[some & POSITIVE] for b in scores[some & ~POSITIVE]
    ]
    found = aurocs(scores, Judge(POSITIVE, WEIGHTS, [rows, ~rows], 0))
    assert found[0] == pytest.approx(np.mean([a > b for a, b in pairs]))


def test_without_a_positive_nothing_is_measured():
    judge = Judge(np.zeros(300, bool), WEIGHTS, [slice(None)], 0)
    assert np.isnan(aurocs(SCORES["distinct"], judge)).all()
