"""Near-copies and shared runs, against brute force over every stretch of the text."""

import numpy as np
import pandas as pd
import pytest
from rapidfuzz.distance import Levenshtein

from memloc.data import near_copies
from memloc.data.near_copies import copies, longest_runs, near_counts
from memloc.data.own_text import END, joined

VOCABULARY = 40


def edited(tokens, n, rng):
    """The tokens with n random ones inserted, deleted or replaced."""
    tokens = list(tokens)
    for _ in range(n):
        at, word = rng.integers(len(tokens)), int(rng.integers(VOCABULARY))
        change = rng.integers(3)
        tokens[at : at + int(change != 1)] = [word] * int(change != 2)
    return tokens


def made(length, seed):
    """Paragraphs, the last of which repeats itself, and a text of their copies with up to a fifth edited."""
    rng = np.random.default_rng(seed)
    paragraphs = rng.integers(VOCABULARY, size=(8, length))
    paragraphs[-1] = np.tile([1, 2, 3], length)[:length]
    text = []
    for row in rng.integers(8, size=80):
        between = [END] if rng.random() < 0.3 else rng.integers(VOCABULARY, size=rng.integers(30)).tolist()
        text += edited(paragraphs[row], rng.integers(length // 5 + 1), rng) + between
    text += [*paragraphs[0], *paragraphs[0]]  # side by side
    return paragraphs, np.array(text, dtype=np.int32)


@pytest.mark.parametrize(("length", "seed"), [(16, 0), (24, 1), (50, 2), (50, 3), (100, 4)])
def test_near_copies_are_those_of_the_edit_distance_at_every_place(length, seed):
    paragraphs, text = made(length, seed)
    words, expected = text.tolist(), []
    for own in paragraphs.tolist():
        found, free = 0, 0
        for place in range(len(words) - length + 1):
            near = Levenshtein.distance(own, words[place : place + length]) <= length // 10
            if near and place >= free:
                found, free = found + 1, place + length
        expected.append(found)
    assert near_counts(paragraphs, text).tolist() == expected
    assert sum(expected) > 10


@pytest.mark.parametrize(("block", "step"), [(20, 1), (10_000, 1), (10_000, 2**16)])
def test_longest_runs_are_those_of_brute_force(block, step, monkeypatch):
    """Also with the large vocabularies of today, in which tokens may be alike in their last two bytes."""
    monkeypatch.setattr(near_copies, "BLOCK", block)
    paragraphs, text = made(24, 5)
    paragraphs, text = paragraphs * step, np.where(text < 0, text, text * step)
    paragraphs = np.concatenate([paragraphs, paragraphs[:, ::-1], np.full((1, 24), VOCABULARY)])
    held = [{tuple(text[at : at + n]) for at in range(len(text) - n + 1)} for n in range(25)]
    expected = [
        max(n for n in range(25) for at in range(25 - n) if tuple(own[at : at + n]) in held[n])
        for own in paragraphs
    ]
    assert longest_runs(paragraphs, text).tolist() == expected
    assert min(expected) == 0 and max(expected) == 24 and len(set(expected)) > 4


def counted(paragraphs, stream):
    near = near_copies.near_copies(np.stack(paragraphs["tokens"]), joined(stream["tokens"], 100).tokens)
    return copies(paragraphs, list(near), stream)


@pytest.mark.parametrize("seed", [6, 7])
def test_copies_are_counted_by_how_many_tokens_of_them_are_edited(seed):
    """Ten planted copies each of no, one, two, five, ten and eleven tokens, and nothing else."""
    rng = np.random.default_rng(seed)
    tokens = rng.integers(VOCABULARY, size=100)
    documents = []
    for n in np.repeat([0, 1, 2, 5, 10, 11], 10):
        copy, at = tokens.copy(), rng.choice(100, n, replace=False)
        copy[at] = VOCABULARY + rng.integers(VOCABULARY, size=n)
        documents.append(copy)
    stream = pd.DataFrame({"id": None, "tokens": documents})
    found = counted(pd.DataFrame({"id": [7], "tokens": [tokens]}), stream).iloc[0]
    assert [found[f"within_{share}"] for share in (0, 1, 2, 5, 10)] == [10, 20, 30, 40, 50]
    assert found["id"] == 7 and pd.isna(found["within_20"]) and pd.isna(found["within_50"])


def test_copies_that_are_mostly_replaced_are_known_where_the_stream_names_their_paragraph():
    tokens = [np.arange(100), np.arange(100, 200)]
    documents = [np.where(np.arange(100) < n, 999, tokens[0]) for n in (0, 10, 11, 20, 21, 50, 51)]
    stream = pd.DataFrame({"id": [3] * 7 + [None], "tokens": [*documents, tokens[1][:60]]})
    stream = stream.astype({"id": "Int64"})
    found = counted(pd.DataFrame({"id": [3, 4], "tokens": tokens}), stream)
    assert found[["within_0", "within_10", "within_20", "within_50"]].to_numpy().tolist() == [
        [1, 2, 4, 6],
        [0, 0, 0, 0],
    ]
