"""Windows of packed paragraphs, against brute force over every window."""

import numpy as np
import pytest
from plain_texts import places_of

from memloc.data import own_text
from memloc.data.packing import are_whole, occurrences, packed_order, places, windows

END = 0


def drawn(repeats, length, context, seed=0):
    """Paragraphs of few tokens, the order of their occurrences, and the windows."""
    rng = np.random.default_rng(seed)
    documents = rng.integers(1, 4, (len(repeats), length))
    order = packed_order(np.array(repeats), length, context, rng)
    return documents, order, windows(documents[order], END, context)


@pytest.mark.parametrize(("length", "context"), [(6, 16), (6, 6), (7, 30), (5, 8)])
def test_every_paragraph_lies_whole_as_often_as_it_is_repeated(length, context):
    repeats = [1, 5, 2, 9, 1, 3]
    _, order, _ = drawn(repeats, length, context)
    whole = are_whole(places(len(order), length), length, context)
    assert np.bincount(order[whole]).tolist() == repeats
    within = [place // context == (place + length - 1) // context for place in places(len(order), length)]
    assert whole.tolist() == within


def test_windows_are_the_paragraphs_one_after_the_other_with_end_of_text_between():
    documents, order, rows = drawn([3, 4, 5], 6, 16)
    text = [token for paragraph in order for token in (*documents[paragraph], END)]
    assert rows.shape[1] == 16 and rows.size - len(text) < 16
    assert rows.ravel().tolist() == text + [END] * (rows.size - len(text))


@pytest.mark.parametrize("length", [2, 4, 6])
def test_runs_are_counted_as_by_brute_force_over_the_windows(length, monkeypatch):
    """Also runs of other paragraphs, and of those that a window cuts."""
    monkeypatch.setattr(own_text, "BLOCK", 8)
    documents, order, rows = drawn([1, 5, 2, 9, 1, 3], 6, 16)
    whole = are_whole(places(len(order), 6), 6, 16)
    _, first = np.unique(order[whole], return_index=True)
    starts = places(len(order), 6)[whole][first] + 6 - length
    expected = [sum(len(places_of(own[6 - length :], row)) for row in rows) for own in documents]
    assert occurrences(rows, starts, length).tolist() == expected
    assert length == 6 or expected > [1, 5, 2, 9, 1, 3]


def test_the_order_is_shuffled_repeatable_and_follows_the_seed():
    first, again, other = (drawn([20] * 10, 6, 16, seed)[1].tolist() for seed in (0, 0, 1))
    assert first == again != other
    assert sum(one == following for one, following in zip(first, first[1:], strict=False)) < 60
