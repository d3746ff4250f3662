"""Documents with counts: first tokens, summed counts, and text in which controls are looked for."""

import numpy as np
import pytest

from memloc.data.overlap import overlapping
from memloc.data.own_text import first_paragraphs, joined
from memloc.run.errors import InputError


def test_paragraphs_are_the_first_tokens_and_counts_of_equal_ones_add_up():
    random = np.random.default_rng(0)
    documents = [
        (random.integers(2, size=random.integers(3, 9)).tolist(), int(random.integers(4))) for _ in "x" * 60
    ]
    expected = {}
    for ids, count in documents:
        if len(ids) >= 5:
            expected.setdefault(tuple(ids[:5]), []).append(count)
    tokens, counts, begins_with = first_paragraphs(documents, 5)
    assert [tuple(row) for row in tokens.tolist()] == list(expected)
    assert counts.tolist() == [sum(found) for found in expected.values()]
    assert len(tokens) < sum(len(ids) >= 5 for ids, _ in documents) and 0 in counts
    heads = [tuple(ids[:5]) for ids, _ in documents]
    assert begins_with.tolist() == [[*expected].index(head) if len(head) == 5 else -1 for head in heads]
    assert tokens.dtype == counts.dtype == np.int64


def test_documents_that_are_all_too_short_are_told():
    with pytest.raises(
        InputError, match="no document has 5 tokens: give longer text, or ask for shorter paragraphs"
    ):
        first_paragraphs([([1, 2], 3)], 5)


def test_a_control_overlaps_with_any_place_of_a_document_and_not_across_two():
    first, second = list(range(100, 140)), list(range(200, 215))
    control = np.arange(20)
    rows = np.stack([control] * 4)
    rows[0, 3:16] = first[25:38]  # far behind its first tokens
    rows[1, 3:16] = [*first[-6:], *second[:7]]
    rows[2, 3:15] = first[:12]
    rows[3, 7:20] = second[2:15]
    text = joined([[1, 2], first, second], 20)
    assert overlapping(rows, text, 5).tolist() == [True, False, False, True]
    assert overlapping(rows[:1], joined([], 20), 5).tolist() == [False]
