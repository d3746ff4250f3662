"""Edits and common runs against plain searches."""

import numpy as np
import pytest

from memloc.scoring.near_verbatim import longest_run, n_edits


def distance(a, b):
    """Levenshtein distance by the textbook's recursion, row by row."""
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, start=1):
        above, row = row, [i]
        for j, right in enumerate(b, start=1):
            row.append(min(row[-1] + 1, above[j] + 1, above[j - 1] + (left != right)))
    return row[-1]


def common_run(a, b):
    """Longest run of one in the other, of every start and length."""
    runs = {tuple(b[i:j]) for i in range(len(b)) for j in range(i + 1, len(b) + 1)}
    found = (j - i for i in range(len(a)) for j in range(i + 1, len(a) + 1) if tuple(a[i:j]) in runs)
    return max(found, default=0)


@pytest.mark.parametrize("n_kinds", [2, 5, 40])
def test_edits_and_runs_are_those_of_a_search(n_kinds):
    decoded, true = np.random.default_rng(n_kinds).integers(n_kinds, size=(2, 60, 12))
    pairs = list(zip(decoded.tolist(), true.tolist(), strict=True))
    assert n_edits(decoded, true).tolist() == [distance(*pair) for pair in pairs]
    assert longest_run(decoded, true).tolist() == [common_run(*pair) for pair in pairs]


def test_no_paragraphs_have_no_edits():
    none = np.zeros((0, 5), dtype=int)
    assert len(n_edits(none, none)) == len(longest_run(none, none)) == 0
