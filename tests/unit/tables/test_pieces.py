"""Tables piece by piece: the same file whatever the pieces, and no damage of its rows goes unseen."""

import numpy as np
import pandas as pd
import pyarrow.parquet as parquet
import pytest
from made_tables import LENGTHS, STAMP, frame_of

from memloc.tables import storage
from memloc.tables.columns import TableError
from memloc.tables.schemas import schema_of
from memloc.tables.storage import batches, read, write, writer

N = 23
PARAGRAPHS = schema_of("paragraphs")


@pytest.fixture(autouse=True)
def small_row_groups(monkeypatch):
    monkeypatch.setattr(storage, "ROWS", 5)


def paragraphs(**changes):
    rng = np.random.default_rng(0)
    columns = {
        "count": rng.integers(0, 9, N),
        "continuation_count": [i if i % 4 else None for i in range(N)],
        "unseen": [i % 7 == 0 for i in range(N)],
        "held_out": False,
        "file": [f"package.module_{i}" if i % 5 else None for i in range(N)],
        "tokens": list(rng.integers(0, 9, (N, LENGTHS.paragraph))),
        "text": [f"text {i}" if i % 3 else "" for i in range(N)],
    }
    return frame_of("paragraphs", **columns | changes)


def sets():
    names = ["memorized", "partly_11_29", "non_memorized"]
    continuation = [[7, i] if i % 2 else None for i in range(N)]
    return frame_of("sets", set=[names[i % 3] for i in range(N)], continuation=continuation)


@pytest.fixture
def path(tmp_path):
    """A table of paragraphs."""
    write(PARAGRAPHS, paragraphs(), tmp_path / "paragraphs.parquet", STAMP)
    return tmp_path / "paragraphs.parquet"


@pytest.mark.parametrize("size", [1, 5, 12])
@pytest.mark.parametrize(("name", "make"), [("paragraphs", paragraphs), ("sets", sets)])
def test_a_file_does_not_depend_on_the_pieces_it_came_in(tmp_path, name, make, size):
    whole, pieces, frame = tmp_path / "whole", tmp_path / "pieces", make()
    write(schema_of(name), frame, whole, STAMP)
    with writer(schema_of(name), pieces, STAMP) as table:
        for start in range(0, N, size):
            table.append(frame[start : start + size])
    assert pieces.read_bytes() == whole.read_bytes()


def test_pieces_are_the_table(path):
    pieces = list(batches(PARAGRAPHS, path))
    assert [len(piece) for piece in pieces] == [5, 5, 5, 5, 3]
    pd.testing.assert_frame_equal(pd.concat(pieces, ignore_index=True), read(PARAGRAPHS, path))


@pytest.mark.parametrize("rows", [range(0, 23), range(5, 10), range(4, 16), range(22, 23)])
def test_a_range_of_rows(path, rows):
    pieces = batches(PARAGRAPHS, path, ["id"], rows)
    assert [value for piece in pieces for value in piece.id] == list(rows)


@pytest.mark.parametrize("rows", [range(0), range(7, 7)])
def test_no_rows_are_one_empty_piece(path, rows):
    (piece,) = batches(PARAGRAPHS, path, rows=rows)
    assert len(piece) == 0 and list(piece) == list(paragraphs())


def test_columns_and_ids_can_be_chosen(path):
    frame = read(PARAGRAPHS, path, ["count", "id"], ids=[21, 2, 99, 7])
    assert list(frame) == ["count", "id"]
    expected = paragraphs().set_index("id")["count"].loc[[2, 7, 21]]
    assert frame.set_index("id")["count"].to_dict() == expected.to_dict()


def test_an_empty_table_comes_back(tmp_path):
    write(schema_of("sets"), sets()[:0], tmp_path / "table", STAMP)
    assert len(read(schema_of("sets"), tmp_path / "table")) == 0


def test_an_id_that_two_pieces_share_is_found_at_the_end(tmp_path):
    with (
        pytest.raises(TableError, match="paragraphs, column id: breaks field_uniqueness .*row 4: 4, row 23"),
        writer(PARAGRAPHS, tmp_path / "table", STAMP) as table,
    ):
        table.append(paragraphs())
        table.append(paragraphs()[4:5])
    assert not list(tmp_path.iterdir())


def test_an_error_between_pieces_leaves_nothing(tmp_path):
    with pytest.raises(KeyError), writer(PARAGRAPHS, tmp_path / "table", STAMP) as table:
        table.append(paragraphs())
        raise KeyError
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("column", ["id", "tokens", "text"])
def test_a_byte_of_a_page_that_changed_is_found(path, column):
    about = parquet.read_metadata(path).row_group(3)
    chunks = map(about.column, range(about.num_columns))
    chunk = next(chunk for chunk in chunks if chunk.path_in_schema.startswith(column))
    content, end = path.read_bytes(), chunk.data_page_offset + chunk.total_compressed_size
    end -= chunk.data_page_offset - (chunk.dictionary_page_offset or chunk.data_page_offset)
    for place in range(end - 20, end):  # decompression notices most of them by itself
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(TableError, match=r"(?s)paragraphs\.parquet: damaged Parquet file .*delete it"):
            read(PARAGRAPHS, path)
    assert len(read(PARAGRAPHS, path, ["count"])) == N
