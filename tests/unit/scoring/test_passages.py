"""Where to decode, and what passages are, against searches of every start."""

from types import SimpleNamespace

import numpy as np
import pytest
from made_tables import frame_of

from memloc.data.own_text import END
from memloc.scoring.passages import IMPOSSIBLE, MOST, covered, place, recited_windows, told, worth_decoding
from memloc.tables.columns import Lengths

LENGTH, PREFIX = 30, 10
N = LENGTH - PREFIX


def test_a_reader_looks_a_passage_up_by_its_line():
    row = SimpleNamespace(file="a/poems.txt.gz", document=0, line=12)
    assert place(row) == "a/poems.txt.gz, line 12"
    row.file, row.document = "b.jsonl", 3
    assert place(row) == "b.jsonl, document 4, line 12", "people count from 1"
    row.document, row.file = 0, "b.parquet"
    assert place(row) == "b.parquet, document 1, line 12"


@pytest.mark.parametrize("most", [5, 6, 7])
def test_every_window_of_a_document_whose_continuation_leaves_few_doubts_is_decoded_and_no_other(most):
    random = np.random.default_rng(0)
    tokens = random.integers(9, size=600)
    tokens[[100, 101, 125, 300, 599]] = END
    doubts = np.where(tokens == END, IMPOSSIBLE, random.integers(2, most, size=600)).astype(np.uint8)
    expected = [
        start
        for start in range(600 - LENGTH + 1)
        if END not in tokens[start : start + LENGTH]
        and sum(doubts[start + PREFIX : start + LENGTH].tolist()) - 2 * N <= MOST
    ]
    assert 3 < len(expected) < 500
    assert worth_decoding(doubts, tokens, LENGTH, PREFIX).tolist() == expected


def test_a_text_shorter_than_a_window_has_none():
    assert len(worth_decoding(np.ones(29, np.uint8), np.zeros(29, int), LENGTH, PREFIX)) == 0
    assert covered(np.arange(0), LENGTH, PREFIX).tolist() == []


@pytest.mark.parametrize("share", [0.03, 0.5, 0.97])
def test_passages_are_what_continuations_of_recited_windows_cover(share):
    random = np.random.default_rng(1)
    for _ in range(20):
        starts = np.flatnonzero(random.random(700) < 0.9)
        yes = np.repeat(random.random(70) < share, 10)
        tokens = {at for start in starts[yes[starts]] for at in range(start + PREFIX, start + LENGTH)}
        asked = []

        def recited(some, n_more, yes=yes, asked=asked):
            asked.append((set(some), n_more))
            return yes[some]

        found = recited_windows(starts, N, recited)
        runs = covered(found, LENGTH, PREFIX).tolist()
        assert [at for first, end in runs for at in range(first, end)] == sorted(tokens)
        assert all(end < first for (_, end), (first, _) in zip(runs, runs[1:], strict=False))
        assert yes[found].all()
        assert all(len(some) <= 2 * -(-700 // N) for some, _ in asked), "two of a group"
        counts = [len(some) for some, _ in asked]
        assert sum(counts) == len(set.union(*(some for some, _ in asked))), "each of them once"
        assert all(sum(counts[at:]) <= n_more for at, (_, n_more) in enumerate(asked, 1)), "a limit"
    every = np.arange(700)
    assert recited_windows(every, N, lambda some, _: some >= 0).tolist() == [*range(0, 700, N), 699]


def said(n_tokens=(5000,), n_recited=(400,), short=0, **passages):
    texts = frame_of(
        "texts",
        unseen=[False, True][: len(n_tokens)],
        n_tokens=list(n_tokens),
        n_recited=list(n_recited),
        n_short=short,
    )
    recited = frame_of("recited", Lengths(LENGTH, PREFIX), **passages)
    return told(recited if passages else recited[:0], texts, LENGTH, PREFIX)


def test_the_answer_is_in_passages_and_in_shares_of_the_text():
    found = {"start": [10, 100, 500], "end": [35, 190, 520], "at_once": [25, 84, 20]}
    first, passage = said(**found)
    assert first == (
        "The model recites 3 passages, the longest of 90 tokens, 84 of them in one go: 8.0 % of 5,000 tokens."
    )
    of = "at least 20 tokens, word for word, given the 10 before them."
    assert passage == f"A passage is what the model goes on with: {of}"
    _, unseen, *_ = said((5000, 100), (400, 0), **found)
    assert unseen == "Of text that it cannot have seen: 0 passages, 0.0 % of 100 tokens."
    first, unseen, *_ = said((5000, 90_000), (45, 20), **found, unseen=[False, False, True])
    assert "recites 2 passages" in first and unseen.endswith("1 passage, less than 0.1 % of 90,000 tokens.")


def test_nothing_is_an_answer_and_text_too_short_to_ask_about_is_told():
    first, _, short = said(n_recited=[0], short=1)
    assert first == "The model recites nothing of this text (0.0 % of 5,000 tokens)."
    assert short == "Too short for that, with fewer than 30 tokens: 1 of 1 document."
