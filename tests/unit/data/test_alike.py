"""Paragraphs that are alike are those of all pairs of sets of runs."""

import numpy as np
import pytest

from memloc.data.alike import LIKE, N_DRAWS, RUN, draws, near_duplicates, unlike


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


@pytest.mark.parametrize("n_sides", [1, 2])
def test_no_two_of_what_is_kept_are_alike_and_all_that_is_left_is_like_something_kept(n_sides):
    sides = [texts(), np.random.default_rng(2).permutation(texts())][:n_sides]
    kept = unlike(*sides)

    def like(one, other):
        return max(similarity(tokens[one], tokens[other]) for tokens in sides) >= LIKE

    rows = np.flatnonzero(kept)
    assert all(any(like(left, row) for row in rows) for left in np.flatnonzero(~kept))
    assert not any(like(one, other) for one in rows for other in rows[rows < one])
    assert 60 <= len(rows) < 130 and kept[:30].any() and kept[100:].any(), "copies and originals"


def test_of_two_pairs_of_a_draw_no_texts_are_alike_on_whichever_sides():
    tokens = texts()
    pairs = np.random.default_rng(1).permutation(len(tokens)).reshape(-1, 2)

    def like(pair, other):
        return max(similarity(tokens[a], tokens[b]) for a in pair for b in other) >= LIKE

    alike = np.array([[like(pair, other) for other in pairs] for pair in pairs])
    found = [
        [pairs.tolist().index(pair.tolist()) for pair in drawn] for drawn in draws(tokens, lambda _: pairs)
    ]
    assert len(found) == N_DRAWS
    for rows in found:
        assert alike[np.ix_(rows, rows)].sum() == len(rows) and alike[:, rows].any(axis=1).all()
    assert len({frozenset(rows) for rows in found}) > 1, "each draw begins anew"


def test_copies_are_no_reason_to_be_drawn_or_not():
    """A text of its own is in every draw, and each of 8 copies of another in about an eighth."""
    tokens = np.repeat([[1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12]], [8, 1], axis=0)
    found = [units[:, 0] for units in draws(tokens, lambda random: random.permutation(9)[:, None])]
    assert {len(units) for units in found} == {2} and all(8 in units for units in found)
    assert np.bincount([min(units) for units in found], minlength=8).min() > N_DRAWS / 30
    assert [units.shape for units in draws(tokens[:0], lambda _: np.empty((0, 2), int))] == [(0, 2)] * N_DRAWS


def test_a_text_that_is_like_many_is_left_out_for_them():
    """The middle text holds half of each of two texts that share nothing."""
    row = np.arange(40)
    middle = np.r_[row[:20], row[:20] + 100]
    assert unlike(np.array([middle, row, row + 100 - 20])).tolist() == [False, True, True]
    assert not len(unlike(np.empty((0, 40), int)))
