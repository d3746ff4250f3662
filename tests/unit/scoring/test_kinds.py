"""Kinds of recited paragraphs: planted templates, counts and copies, and a plain n-gram model."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from memloc.data.near_copies import near_copies
from memloc.data.own_text import END, joined
from memloc.scoring.kinds import CONTEXTS, NGrams, by_rule, evidence, kind_of, template_share

BREAKS = np.arange(1_000) == 0  # token 0 ends a line


def lines(*each):
    return np.concatenate([[*line, 0] for line in each])


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (lines(*([5, 6, 7, 8 + n, 9] for n in range(4))), 1.0),  # a number that counts up
        (
            lines([5, 6, 7, 8, 9], [5, 6, 7, 8, 9], [5, 6, 1, 2, 3, 4, 8, 9], [5, 6, 9]),
            4 / 13,
        ),  # a longer field
        (lines([5, 6, 7, 8, 9], [4] * 5, *[[n] * 5 for n in (1, 2)]), 0.0),
        (np.append(lines(*[[5, 6, 7, 8, 9, 10, 11]] * 2), [5, 6, 7, 8, 1, 10]), 1.0),  # the last line is cut
        (lines([1, 2], [1, 2], [1, 2], [1, 2]), 0.0),  # lines with less in common than a field
    ],
)
def test_templates_are_lines_that_repeat_but_for_a_field(tokens, expected):
    assert template_share(tokens, 12 if len(tokens) > 12 else 6, BREAKS) == pytest.approx(expected, abs=0.01)


def plain_next(text, before, left_out):
    """The same by counting all places for every length of context."""
    for n in (n for n in CONTEXTS if n <= len(before)):
        wanted = list(before[-n:])
        places = [at for at in range(n, len(text)) if list(text[at - n : at]) == wanted]
        counts = Counter(int(text[at]) for at in places if not left_out[at] and text[at] != END)
        if counts:
            return min(counts, key=lambda token: (-counts[token], token))
    return -1


def test_the_n_gram_model_is_the_plain_one():
    rng = np.random.default_rng(0)
    text = rng.integers(6, size=800).astype(np.int32)
    text[rng.integers(800, size=12)] = END
    left_out, model = rng.random(800) < 0.3, NGrams(text)
    starts = rng.integers(700, size=60)
    queries = [text[at : at + int(rng.integers(1, 30))] for at in starts] + [np.array([9])]
    found = [model.next(own, left_out) for own in queries]
    assert found == [plain_next(text, own, left_out) for own in queries]
    assert found[-1] == -1 and len(set(found)) > 3


def test_own_file_and_near_copies_are_left_out_and_other_files_are_not():
    """Paragraphs: in its own file; in others after another prefix; in near-copies, 20 tokens elsewhere."""
    rng = np.random.default_rng(1)
    own, common, near = rng.integers(1, 1_000, size=(3, 100))
    other = np.append(rng.integers(1, 1_000, size=50), common[40:])
    copies = [np.where(np.arange(100) == at, 999, near) for at in (3, 30, 60)]
    stream = pd.DataFrame({"file": list("abcdef"), "tokens": [own, other, *copies, near[40:70]]})
    stream = stream.assign(id=pd.array([pd.NA] * 6, "Int64"))
    paragraphs = pd.DataFrame({"id": [1, 2, 3], "file": ["a", "z", "y"], "tokens": [own, common, near]})
    text = joined(stream["tokens"], 100).tokens
    found = list(near_copies(np.stack(paragraphs["tokens"]), text))
    table = evidence(paragraphs, found, stream, 50, BREAKS)
    assert table["ngram_em"].tolist() == [0, 50, 20] and (table["template"] == 0).all()
    repeated = [paragraphs.assign(file="z"), found, stream, 50, BREAKS]
    assert evidence(*repeated)["ngram_em"].tolist() == [0, 50, 20], "an exact copy is a near-copy, too"


def test_what_a_rule_gets_is_no_memory_however_often_it_occurs():
    rows = pd.DataFrame({"template": [1.0, 0.0, 0.2, 0.2, 0.89], "ngram_em": [0, 50, 49, 12, 0]})
    kinds = kind_of(by_rule(rows, 50), pd.Series([1, 40, 6, 5, 0]))
    assert kinds.tolist() == [*["reconstruction"] * 2, "recitation", *["recollection"] * 2]


def test_without_recited_paragraphs_there_is_no_evidence():
    nothing = pd.DataFrame({"id": [], "file": [], "tokens": []})
    assert evidence(nothing, [], nothing, 50, BREAKS).empty
