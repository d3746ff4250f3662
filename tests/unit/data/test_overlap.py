"""Shared runs of tokens against a search of every offset."""

import numpy as np
import pytest

from memloc.data import own_text
from memloc.data.overlap import RUN, overlapping
from memloc.data.own_text import END, Stream, joined


def searched(paragraphs, tokens, run):
    """Every run of every paragraph, looked for at every place of the text."""
    text = {tuple(tokens[at : at + run]) for at in range(len(tokens) - run + 1)}
    return [any(tuple(row[at : at + run]) in text for at in range(len(row) - run + 1)) for row in paragraphs]


@pytest.mark.parametrize("block", [7, 2**18])
@pytest.mark.parametrize("run", [1, 3, 5, 8])
def test_runs_are_those_of_a_search(monkeypatch, block, run):
    monkeypatch.setattr(own_text, "BLOCK", block)
    random = np.random.default_rng(run)
    paragraphs, tokens = random.integers(7, size=(40, 8)), random.integers(7, size=60).astype(np.int32)
    tokens[[9, 30]] = END
    tokens[12:18] = paragraphs[3, 1:7]
    found = overlapping(paragraphs, Stream(tokens, np.array([0]), 8), 8 - run)
    assert found.tolist() == searched(paragraphs.tolist(), tokens.tolist(), run)
    assert run in (1, 8) or 0 < found.sum() < 40


def test_no_run_goes_from_one_row_into_the_next():
    text = joined([[1, 2, 3], [4, 5, 6]], 2)
    rows = np.array([[3, 4, 9], [9, 5, 6], [0, 1, 2], [6, 1, 9]])
    assert overlapping(rows, text, 1).tolist() == [False, True, True, False]


@pytest.mark.parametrize("n_prefix", [2, 25])  # a run of 13, and one as short as the continuation
def test_paragraphs_overlap_where_a_search_finds_it(n_prefix):
    random = np.random.default_rng(0)
    paragraphs, seen = random.integers(1000, size=(20, 30)), random.integers(1000, size=(20, 30))
    run = min(RUN, 30 - n_prefix)
    for number in range(6):  # of three runs one token is missing
        length = run - number % 2
        paragraphs[number, 7 : 7 + length] = seen[number, 11 : 11 + length]
    text = joined(seen, run)
    expected = searched(paragraphs.tolist(), text.tokens.tolist(), run)
    assert sum(expected) == 3
    assert overlapping(paragraphs, text, n_prefix).tolist() == expected
    assert not overlapping(paragraphs, joined([], 20), n_prefix).any()
