"""Counts in real indexes, which infini-gram builds here, are those of every window, one after the other."""

import importlib.util
import shutil

import numpy as np
import pytest
from made_index import build, write_documents

from memloc.data import suffix_arrays
from memloc.data.suffix_arrays import IndexFolderError, counter, require_same_tokens, token_width
from memloc.settings.exposure import Exposure

installed = pytest.mark.skipif(
    not importlib.util.find_spec(suffix_arrays.PACKAGE), reason="infini-gram has no wheel for this machine"
)


def open_index(*folders, tokenizer="tokenizer"):
    return suffix_arrays.open_index(Exposure(index=list(map(str, folders)), tokenizer=tokenizer))


def sorted_by_hand(folder, documents, width):
    """An index whose table is sorted by comparing what follows each token."""
    write_documents(documents, width, folder)
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


def check_counts(index, texts):
    """Runs of three lengths that the documents hold, and some over their ends, which they need not hold."""
    stream = [token for ids in texts for token in ids]
    for n in (1, 3, 8):
        rows = np.array([stream[start : start + n] for start in range(0, 300, 7)])
        assert counter(index)(rows).tolist() == [slow_count(row, texts) for row in rows.tolist()]


# The smallest alphabet, and ids up to the last below the separator.
@installed
@pytest.mark.parametrize(("width", "largest"), [(1, 2), (1, 254), (2, 2), (2, 65534)])
def test_counts_are_those_of_every_window(tmp_path, width, largest):
    texts = documents(5, largest)
    build(tmp_path / "index", texts, width)
    check_counts(open_index(tmp_path / "index"), texts)


@installed
def test_ids_of_four_bytes_are_counted(tmp_path):
    texts = documents(5, 130_000)
    sorted_by_hand(tmp_path / "index", texts, 4)
    index = open_index(tmp_path / "index")
    assert index.width == 4
    check_counts(index, texts)


@installed
def test_several_folders_and_shards_are_one_corpus_and_one_may_be_empty(tmp_path):
    texts = documents(5, 30)
    build(tmp_path / "first", texts[::2], 2)
    build(tmp_path / "second", texts[1::2], 2)
    build(tmp_path / "third", [[]], 2)
    for name in suffix_arrays.FILES:
        shutil.move(tmp_path / f"third/{name}.0", tmp_path / f"first/{name}.1")
    index = open_index(tmp_path / "first", tmp_path / "second")
    assert index.n_tokens == sum(map(len, texts)) + len(texts) + 1
    check_counts(index, texts)


@installed
def test_a_token_that_the_index_cannot_hold_is_an_error(tmp_path):
    build(tmp_path / "index", [[1, 2, 3]], 1)
    with pytest.raises(IndexFolderError, match="token 255, but the ids of the index are below 255"):
        counter(open_index(tmp_path / "index"))(np.array([[1, 255]]))


def test_a_pointer_holds_the_last_place_of_a_file():
    sizes = (2, 255, 256, 257, 2**16, 2**16 + 1)
    assert [suffix_arrays.pointer_width(n) for n in sizes] == [1, 1, 1, 2, 2, 3]


def test_an_index_that_cannot_be_used_is_named_before_it_is_opened(tmp_path, monkeypatch):
    folder = tmp_path / "index"
    with pytest.raises(IndexFolderError, match="exposure.index: .*no index there"):
        open_index(folder)
    with pytest.raises(IndexFolderError, match="exposure.tokenizer: missing: an index does not say"):
        open_index(folder, tokenizer=None)
    texts = documents(5, 200)
    sorted_by_hand(folder, texts, 2)
    sorted_by_hand(tmp_path / "wide", texts, 4)
    with pytest.raises(IndexFolderError, match="several types"):
        open_index(folder, tmp_path / "wide")
    table = folder / "table.0"
    table.write_bytes(table.read_bytes()[:-1])
    with pytest.raises(IndexFolderError, match="table.0: .* do not fit"):
        token_width(folder / "tokenized.0", table)
    table.unlink()
    with pytest.raises(IndexFolderError, match="no table.0: fetch or make it again"):
        open_index(folder)
    monkeypatch.setattr(suffix_arrays, "PACKAGE", "not_installed")
    with pytest.raises(IndexFolderError, match="index: needs the package infini-gram, .*: pip install"):
        open_index(folder)


class Words:
    """A tokenizer whose tokens are given."""

    def __init__(self, *words):
        self.words = words

    def convert_ids_to_tokens(self, ids):
        return [self.words[i] if i < len(self.words) else None for i in ids]


def test_another_tokenizer_is_an_error_only_where_its_tokens_are_others():
    model, index = Words("a", "b", "c"), Words("a", "b", "x")
    require_same_tokens(np.array([0, 1]), model, index)
    with pytest.raises(IndexFolderError, match="id 2 is 'x' there, and 'c' in the model"):
        require_same_tokens(np.array([0, 2]), model, index)
    with pytest.raises(IndexFolderError, match="id 2 is None there, and 'c' in the model"):
        require_same_tokens(np.array([0, 2]), model, Words("a", "b"))
