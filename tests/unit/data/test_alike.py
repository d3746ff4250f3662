"""Paragraphs that are alike are those of all pairs of sets of runs."""

import numpy as np

from memloc.data.alike import LIKE, RUN, near_duplicates, unlike


def texts():
    """100 random paragraphs of 40 tokens; then copies of the first 30 with ever more tokens replaced."""
    random = np.random.default_rng(0)
    tokens = random.integers(0, 50, (100, 40))
    copies = tokens[:30].copy()
    for number, row in enumerate(copies):
        row[random.choice(40, number // 3, replace=False)] = 99
    return np.concatenate([tokens, copies])


def similarity(a, b):
    runs = [{tuple(row[i : i + RUN]) for i in range(len(row) - RUN + 1)} for row in (a, b)]
    return len(runs[0] & runs[1]) / len(runs[0] | runs[1])


def test_near_duplicates_are_those_of_all_pairs():
    tokens = texts()
    found = near_duplicates(tokens)
    alike = [(i, 100 + i) for i in range(30) if similarity(tokens[i], tokens[100 + i]) >= 0.5]
    assert 5 < len(alike) < 25
    assert [(i, 100 + i) for i in range(30) if found[i] == found[100 + i]] == alike
    assert len(np.unique(found)) == 130 - len(alike)


def test_a_chain_of_near_duplicates_is_one_cluster():
    row = np.arange(40)
    near = [row + 100 * (row < 4 * n) for n in range(8)]
    assert similarity(near[0], near[1]) >= 0.5 > similarity(near[0], near[7])
    assert len(np.unique(near_duplicates(np.array(near)))) == 1


def test_two_of_four_runs_are_half_and_a_run_that_occurs_again_is_one():
    half = np.array([[0, 1, 2, 3, 4, 5, 6], [0, 1, 2, 3, 4, 5, 9]])  # two shared runs of 3 + 3 - 2
    assert similarity(*half) == 0.5 and len(np.unique(near_duplicates(half))) == 1
    again = np.array([[0] * 7, [0, 0, 0, 0, 0, 1, 2]])  # one shared run of 1 + 3 - 1
    assert similarity(*again) == 1 / 3 and len(np.unique(near_duplicates(again))) == 2


def test_paragraphs_that_are_shorter_than_a_run_are_compared_as_a_whole():
    found = near_duplicates(np.array([[1, 2, 3], [1, 2, 4], [1, 2, 3]]))
    assert found[0] == found[2] != found[1]


def test_no_two_of_what_is_kept_are_alike_and_all_that_is_left_is_like_something_kept():
    tokens = texts()
    kept = unlike(tokens)
    like = [similarity(row, other) >= LIKE for row in tokens[~kept] for other in tokens[kept]]
    assert np.reshape(like, (-1, kept.sum())).any(axis=1).all() and 100 <= kept.sum() < 130
    own = tokens[kept]
    assert not any(similarity(own[i], own[j]) >= LIKE for i in range(len(own)) for j in range(i))
    assert kept[:30].any() and kept[100:].any(), "neither copies nor originals come first"


def test_of_two_pairs_that_are_kept_no_texts_are_alike_on_whichever_sides():
    tokens = texts()
    first, second = np.random.default_rng(1).permutation(len(tokens)).reshape(2, -1)
    kept = unlike(tokens[first], tokens[second])
    pairs = [tokens[[one, other]] for one, other in zip(first, second, strict=True)]

    def like(pair, other):
        return max(similarity(a, b) for a in pair for b in other) >= LIKE

    of = [[like(pair, other) for other, known in zip(pairs, kept, strict=True) if known] for pair in pairs]
    assert [sum(found) for found, known in zip(of, kept, strict=True) if known] == [1] * kept.sum()
    assert all(any(found) for found in of) and 40 <= kept.sum() < 65
    assert (kept == unlike(tokens[second], tokens[first])).all(), "sides are equal"


def test_a_text_that_is_like_many_is_left_out_for_them():
    """The middle text holds half of each of two texts that share nothing."""
    row = np.arange(40)
    middle = np.r_[row[:20], row[:20] + 100]
    assert unlike(np.array([middle, row, row + 100 - 20])).tolist() == [False, True, True]
    assert not len(unlike(np.empty((0, 40), int)))
