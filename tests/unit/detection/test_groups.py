"""No fold and no pair shares a group with another."""

import numpy as np

from memloc.data.alike import draws
from memloc.detection.groups import equal_pairs, folds


def test_pairs_are_of_equal_exposure_and_hold_each_group_once():
    random = np.random.default_rng(0)
    exposure, group = random.integers(5, size=200), random.integers(90, size=200)
    label = random.random(200) < 0.4
    own, others = equal_pairs(exposure, label, group, random).T
    assert label[own].all() and not label[others].any() and (exposure[own] == exposure[others]).all()
    assert len(np.unique(group[np.r_[own, others]])) == 2 * len(own) > 40
    assert equal_pairs(exposure, label, np.zeros(200, int), random).shape == (0, 2)


def test_where_labels_are_chance_pairs_have_as_many_copies_on_either_side():
    """Of 600 texts, half stand alone and half are copies of one of 60; one in five is positive."""
    random, more, unequal = np.random.default_rng(0), 0, 0
    for _ in range(200):
        text = random.permutation(np.r_[np.arange(300), 300 + np.arange(300) // 5])
        exposure, label = random.integers(3, size=600), random.random(600) < 0.2
        drawn = draws(
            np.repeat(text[:, None], 9, axis=1),
            lambda random: equal_pairs(exposure, label, np.arange(600), random),  # noqa: B023
        )
        pairs = next(drawn)
        own, others = pairs.T
        assert label[own].all() and not label[others].any() and (exposure[own] == exposure[others]).all()
        assert len(np.unique(text[pairs])) + (text[own] == text[others]).sum() == 2 * len(pairs) > 60
        copied = (text >= 300).astype(int)[pairs]
        more, unequal = more + np.diff(copied).sum(), unequal + abs(np.diff(copied)).sum()
    assert abs(more) < 3 * unequal**0.5, "half of all, where copies left out on each side first give 27 %"


def test_folds_hold_whole_groups_and_recite_equally_often():
    random = np.random.default_rng(0)
    groups, recited = random.integers(0, 80, 400), random.random(400) < 0.3
    fold = folds(recited, groups, seed=3)
    assert all(len(set(fold[groups == group])) == 1 for group in set(groups))
    assert np.bincount(fold).min() > 50
    rates = [recited[fold == number].mean() for number in range(5)]
    assert max(rates) - min(rates) < 0.15
    assert np.array_equal(fold, folds(recited, groups, seed=3))
    assert not np.array_equal(fold, folds(recited, groups, seed=4))


def test_folds_of_sorted_labels_recite_equally_often():
    """One group in five is recited: of 50 groups of two, each of five folds has two of these."""
    recited = np.repeat(np.arange(50) % 5 == 0, 2)
    fold = folds(recited, np.repeat(np.arange(50), 2), seed=0)
    assert [int(recited[fold == number].sum()) for number in range(5)] == [4] * 5
