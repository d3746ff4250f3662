"""Own text: reading files, cutting paragraphs, counting repeats."""

import json

import numpy as np
import pandas as pd
import pytest

from memloc import text


def slow_count(paragraph, texts):
    """Occurrences at any offset, one comparison after the other."""
    n = len(paragraph)
    return sum(list(ids[i : i + n]) == list(paragraph) for ids in texts for i in range(len(ids) - n + 1))


def test_repeats_are_counted_at_every_offset():
    random = np.random.default_rng(0)
    texts = [random.integers(0, 3, size=size).tolist() for size in (40, 7, 2, 63)]
    texts.append([9] + texts[0])  # the same document, shifted by one
    found, counts = text.paragraphs(texts, length=4)
    assert counts.tolist() == [slow_count(row, texts) for row in found]
    assert counts.max() > 1
    assert len({tuple(row) for row in found}) == len(found)


def test_windows_that_share_a_hash_are_told_apart(monkeypatch):
    monkeypatch.setattr(text, "BASE", np.uint64(1))  # the hash is now a sum: permutations collide
    texts = [[1, 2, 2, 1, 1, 2]]
    found, counts = text.paragraphs(texts, length=2)
    assert dict(zip(map(tuple, found.tolist()), counts.tolist(), strict=True)) == {(1, 2): 2, (2, 1): 1}


def test_a_text_without_a_paragraph_is_an_error():
    with pytest.raises(text.TextError, match=r"paragraph\.length"):
        text.paragraphs([[1, 2, 3]], length=4)


def test_documents_of_every_kind_of_file(tmp_path):
    (tmp_path / "a.txt").write_text("plain")
    (tmp_path / "b.jsonl").write_text("\n".join(json.dumps({"text": word}) for word in ("one", "two")))
    pd.DataFrame({"text": ["three", None, "four"]}).to_parquet(tmp_path / "c.parquet")
    found = [list(text.documents(tmp_path / name, "text")) for name in ("a.txt", "b.jsonl", "c.parquet")]
    assert found == [["plain"], ["one", "two"], ["three", "four"]]


@pytest.mark.parametrize(
    ("name", "content"), [("a.csv", "x"), ("b.jsonl", '{"body": "x"}'), ("c.jsonl", "[1]")]
)
def test_files_that_cannot_be_used_say_why(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    with pytest.raises(text.TextError, match=name):
        list(text.documents(tmp_path / name, "text"))


def test_a_parquet_file_without_the_column_says_what_it_has(tmp_path):
    pd.DataFrame({"body": ["x"]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(text.TextError, match="body"):
        list(text.documents(tmp_path / "a.parquet", "text"))
