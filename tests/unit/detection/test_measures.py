"""AUROCs within folds, once by scikit-learn and in resamples, against pairs that are counted one by one."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from memloc.detection.judging import auroc, resampled_aurocs

RANDOM = np.random.default_rng(0)
LABEL = RANDOM.random(120) < 0.3
FOLD = np.arange(120) % 3
WEIGHTS = np.concatenate([np.ones((1, 120)), RANDOM.integers(0, 4, (5, 120))]).astype(float)
SCORES = {
    "distinct": LABEL + RANDOM.normal(size=120) + 10 * FOLD,  # only an AUROC over all folds sees the tens
    "ties": np.round(LABEL + RANDOM.normal(size=120)),
    "one value": np.full(120, 0.3),
    "perfect": LABEL.astype(float),
}


def counted(scores, weights):
    """Weighted share of pairs in one fold whose positive has the higher score; ties count half."""
    won = pairs = 0.0
    for a in np.flatnonzero(LABEL):
        for b in np.flatnonzero(~LABEL & (FOLD[a] == FOLD)):
            won += weights[a] * weights[b] * (float(scores[a] > scores[b]) + (scores[a] == scores[b]) / 2)
            pairs += weights[a] * weights[b]
    return won / pairs


@pytest.mark.parametrize("name", SCORES)
def test_areas_are_shares_of_pairs(name):
    found = resampled_aurocs(SCORES[name], LABEL, FOLD, WEIGHTS)
    assert found == pytest.approx([counted(SCORES[name], weights) for weights in WEIGHTS])
    assert auroc(SCORES[name], LABEL, FOLD) == pytest.approx(found[0])


@pytest.mark.parametrize("name", SCORES)
def test_areas_of_one_fold_are_those_of_scikit_learn(name):
    found = resampled_aurocs(SCORES[name], LABEL, 0 * FOLD, WEIGHTS)
    for area, weights in zip(found, WEIGHTS, strict=True):
        assert area == pytest.approx(roc_auc_score(LABEL, SCORES[name], sample_weight=weights))


def test_a_fold_with_one_label_and_a_resample_without_a_positive_have_no_pairs():
    alone = LABEL | (FOLD == 0)
    without = auroc(SCORES["ties"][FOLD > 0], LABEL[FOLD > 0], FOLD[FOLD > 0])
    assert auroc(SCORES["ties"], alone, FOLD) == pytest.approx(without)
    assert np.isnan(resampled_aurocs(SCORES["ties"], LABEL, FOLD, 1.0 * ~LABEL[None])).all()
