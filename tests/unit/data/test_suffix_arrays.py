"""Suffix arrays: real indexes are built here, and counts are those of every window, one after the other."""

import importlib.util
import shutil
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from memloc.data import suffix_arrays
from memloc.data.packing import occurrences
from memloc.data.suffix_arrays import IndexFolderError, counter, open_index, token_width, width_for

installed = pytest.mark.skipif(
    not importlib.util.find_spec(suffix_arrays.PACKAGE), reason="infini-gram has no wheel for this machine"
)


def build(folder, documents, width):
    """An index of one shard, made by infini-gram."""
    folder.mkdir(parents=True)
    n_documents = suffix_arrays.write_documents(documents, width, folder)
    suffix_arrays.sort_suffixes(folder, width, 1)
    return n_documents


def sorted_by_hand(folder, documents, width):
    """The same, with a table that is sorted by comparing what follows each token."""
    folder.mkdir(parents=True)
    suffix_arrays.write_documents(documents, width, folder)
    content = (folder / "tokenized.0").read_bytes()
    places = sorted(range(0, len(content), width), key=lambda place: content[place:])
    n_bytes = suffix_arrays.pointer_width(len(content))
    (folder / "table.0").write_bytes(b"".join(place.to_bytes(n_bytes, "little") for place in places))


def slow_count(run, documents):
    """Occurrences at any offset, one comparison after the other."""
    n = len(run)
    return sum(ids[start : start + n] == run for ids in documents for start in range(len(ids) - n + 1))


def documents(n_tokens, largest):
    """Passages that come again, alone, in a row and cut, between documents that are empty or short."""
    random = np.random.default_rng(n_tokens + largest)
    passages = random.integers(0, largest, (12, 8), endpoint=True).tolist()
    found = [passages[i] + passages[j][: random.integers(9)] for i, j in random.integers(12, size=(60, 2))]
    return [*found, [], [largest], *passages, [largest] * n_tokens]


def runs(texts):
    """Runs of three lengths that the documents hold, and some over their ends, which they need not hold."""
    stream = [token for ids in texts for token in ids]
    return {n: np.array([stream[start : start + n] for start in range(0, 300, 7)]) for n in (1, 3, 8)}


# The smallest alphabet, and ids up to the last below the separator.
@installed
@pytest.mark.parametrize(("width", "largest"), [(1, 2), (1, 254), (2, 2), (2, 65534)])
def test_counts_are_those_of_every_window(tmp_path, width, largest):
    texts = documents(5, largest)
    assert build(tmp_path / "index", texts, width) == len(texts)
    count = counter(open_index([str(tmp_path / "index")], "tokenizer"))
    for rows in runs(texts).values():
        assert count(rows).tolist() == [slow_count(row, texts) for row in rows.tolist()]


@installed
def test_ids_of_four_bytes_are_counted(tmp_path):
    texts = documents(5, 130_000)
    sorted_by_hand(tmp_path / "index", texts, 4)
    index = open_index([str(tmp_path / "index")], "tokenizer")
    assert index.width == 4
    for rows in runs(texts).values():
        assert counter(index)(rows).tolist() == [slow_count(row, texts) for row in rows.tolist()]


@installed
@pytest.mark.parametrize("width", [1, 2])
def test_the_table_is_sorted_as_by_hand(tmp_path, width):
    texts = documents(40, 200)
    build(tmp_path / "made", texts, width)
    sorted_by_hand(tmp_path / "by hand", texts, width)
    assert (tmp_path / "made/table.0").read_bytes() == (tmp_path / "by hand/table.0").read_bytes()


@installed
def test_several_folders_and_shards_are_one_corpus_and_one_may_be_empty(tmp_path):
    texts = documents(5, 30)
    build(tmp_path / "first", texts[::2], 2)
    build(tmp_path / "second", texts[1::2], 2)
    build(tmp_path / "third", [], 2)
    for name in suffix_arrays.FILES:
        shutil.move(tmp_path / f"third/{name}.0", tmp_path / f"first/{name}.1")
    (tmp_path / "first/tokenizer").mkdir()
    index = open_index([str(tmp_path / "first"), str(tmp_path / "second")], "other")
    assert index.tokenizers == [str(tmp_path / "first/tokenizer"), "other"]
    assert index.n_tokens == sum(map(len, texts)) + len(texts) + 1
    rows = runs(texts)[3]
    assert counter(index)(rows).tolist() == [slow_count(row, texts) for row in rows.tolist()]


@installed
def test_counts_are_those_of_the_embedded_data(tmp_path):
    """Continuations in a training stream: its rows are the documents."""
    random = np.random.default_rng(0)
    rows, repeats, n_prefix = random.integers(3, size=(40, 6)), random.integers(1, 5, 40), 3
    build(tmp_path / "index", np.repeat(rows, repeats, axis=0).tolist(), 2)
    count = counter(open_index([str(tmp_path / "index")], "tokenizer"))
    stream = np.repeat(rows, repeats, axis=0)
    found = occurrences(stream, (np.cumsum(repeats) - 1) * 6 + n_prefix, 6 - n_prefix)
    assert count(rows[:, n_prefix:]).tolist() == found.tolist()
    occurs = Counter(tuple(row) for row in np.repeat(rows, repeats, axis=0).tolist())
    assert count(rows).tolist() == [occurs[tuple(row)] for row in rows.tolist()]
    assert (found > count(rows)).any()


@installed
def test_a_token_that_the_index_cannot_hold_is_an_error(tmp_path):
    build(tmp_path / "index", [[1, 2, 3]], 1)
    count = counter(open_index([str(tmp_path / "index")], "tokenizer"))
    with pytest.raises(IndexFolderError, match="token 255, but the ids of the index are below 255"):
        count(np.array([[1, 255]]))


@installed
def test_what_cannot_be_sorted_says_so(tmp_path):
    for name in ("tokenized.0", "offset.0"):
        (tmp_path / name).mkdir()
    with pytest.raises(IndexFolderError, match="could not sort .*tokenized.0"):
        suffix_arrays.sort_suffixes(tmp_path, 2, 1)


def test_sorting_takes_the_memory_and_the_type_that_are_asked_for(tmp_path, monkeypatch):
    suffix_arrays.write_documents([[1, 2, 3]], 4, tmp_path)
    commands, pointers = [], 4  # of one byte, for each of 4 tokens

    def sort(command, **_options):
        commands.append(command)
        (tmp_path / "table.0").write_bytes(bytes(pointers))
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", sort)
    suffix_arrays.sort_suffixes(tmp_path, 4, 33)
    given = dict(zip(commands[0][3::2], commands[0][4::2], strict=True))
    assert (given["--mem"], given["--token_dtype"], given["--cpus"]) == ("33", "u32", "1")
    assert given["--data_dir"] == given["--save_dir"] == str(tmp_path)
    pointers = 3
    with pytest.raises(IndexFolderError, match=r"table\.0: 3 bytes do not fit 16 bytes"):
        suffix_arrays.sort_suffixes(tmp_path, 4, 33)


def test_a_pointer_holds_the_last_place_of_a_file():
    sizes = (2, 255, 256, 257, 2**16, 2**16 + 1)
    assert [suffix_arrays.pointer_width(n) for n in sizes] == [1, 1, 1, 2, 2, 3]


def test_the_separator_is_no_token():
    assert [width_for(n) for n in (255, 256, 65535, 65536)] == [1, 2, 2, 4]


def test_an_index_that_cannot_be_used_is_named_before_it_is_opened(tmp_path):
    folder = tmp_path / "index"
    with pytest.raises(IndexFolderError, match="exposure.index: .*no index there"):
        open_index([str(folder)], None)
    texts = documents(5, 200)
    sorted_by_hand(folder, texts, 2)
    with pytest.raises(IndexFolderError, match="exposure.tokenizer: missing: .*index does not say"):
        open_index([str(folder)], None)
    sorted_by_hand(tmp_path / "wide", texts, 4)
    with pytest.raises(IndexFolderError, match="several types"):
        open_index([str(folder), str(tmp_path / "wide")], "tokenizer")
    table = folder / "table.0"
    table.write_bytes(table.read_bytes()[:-1])
    with pytest.raises(IndexFolderError, match="table.0: .* do not fit"):
        token_width(folder / "tokenized.0", table)
    table.unlink()
    with pytest.raises(IndexFolderError, match="no table.0: fetch or make it again"):
        open_index([str(folder)], "tokenizer")


class Words:
    """A tokenizer whose tokens are given."""

    def __init__(self, *words):
        self.words = words

    def convert_ids_to_tokens(self, ids):
        return [self.words[i] if i < len(self.words) else None for i in ids]


def test_another_tokenizer_is_an_error_only_where_its_tokens_are_others():
    model, index = Words("a", "b", "c"), Words("a", "b", "x")
    suffix_arrays.require_same_tokens(np.array([0, 1]), model, index, "folder")
    with pytest.raises(IndexFolderError, match="id 2 is 'x' there, and 'c' in the model"):
        suffix_arrays.require_same_tokens(np.array([0, 2]), model, index, "folder")
    with pytest.raises(IndexFolderError, match="id 2 is None there, and 'c' in the model"):
        suffix_arrays.require_same_tokens(np.array([0, 2]), model, Words("a", "b"), "folder")


def test_a_missing_package_is_one_line(monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(sys, "path_importer_cache", {})
    monkeypatch.delitem(sys.modules, suffix_arrays.PACKAGE, raising=False)
    with pytest.raises(IndexFolderError, match="index: needs the package infini-gram, .*: pip install"):
        suffix_arrays.require_package("index")
