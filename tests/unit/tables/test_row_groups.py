"""Tables piece by piece: the same file whatever the pieces, and no change of its rows goes unseen."""

import json

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet as parquet
import pytest
from made_tables import LENGTHS, STAMP, frame_of

from memloc.tables import row_groups
from memloc.tables.row_groups import CHECKSUMS, checksum
from memloc.tables.schema import TableError
from memloc.tables.schemas import schema_of
from memloc.tables.storage import batches, read, write, writer

N = 23
PARAGRAPHS = schema_of("paragraphs")


@pytest.fixture(autouse=True)
def small_row_groups(monkeypatch):
    monkeypatch.setattr(row_groups, "ROWS", 5)


def paragraphs(**changes):
    rng = np.random.default_rng(0)
    columns = {
        "count": rng.integers(0, 9, N),
        "continuation_count": [i if i % 4 else None for i in range(N)],
        "unseen": [i % 7 == 0 for i in range(N)],
        "package": "package",
        "module": [f"package.module_{i}" if i % 5 else None for i in range(N)],
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


@pytest.mark.parametrize("size", [1, 4, 5, 12])
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


@pytest.mark.parametrize("rows", [range(0, 23), range(3, 4), range(5, 10), range(4, 16), range(22, 23)])
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


def test_damaged_pages_are_named(path):
    content = bytearray(path.read_bytes())
    content[4:40] = b"\xff" * 36  # behind the magic number; the footer stays whole
    path.write_bytes(content)
    with pytest.raises(TableError, match=r"(?s)paragraphs\.parquet: damaged Parquet file .*delete it"):
        read(PARAGRAPHS, path)


# Files as somebody leaves them who edits rows, and keeps all metadata.


def rewrite(path, table, checksums, sizes=()):
    """Write rows in row groups of these sizes, as a rule of the usual one."""
    sizes = list(sizes) or [row_groups.ROWS] * -(-len(table) // row_groups.ROWS)
    with parquet.ParquetWriter(path, table.schema) as file:
        for start, size in zip(np.cumsum([0, *sizes]), sizes, strict=False):
            file.write_table(table[start : start + size])
        file.add_key_value_metadata({CHECKSUMS.decode(): checksums})


@pytest.fixture
def kept(path):
    """Rows and checksums of the table."""
    return parquet.read_table(path), parquet.read_metadata(path).metadata[CHECKSUMS].decode()


CHANGES = {
    "id": 99,
    "count": 9,
    "cut_count": 5,
    "continuation_count": 99,
    "unseen": True,
    "package": None,
    "module": "package.other",
    "tokens": np.ones(LENGTHS.paragraph, int),
    "text": "other",
}


@pytest.mark.parametrize("column", CHANGES)
def test_an_edited_value_is_found_in_every_column(path, kept, column):
    original, checksums = kept
    rewrite(path, original, checksums)
    assert len(read(PARAGRAPHS, path)) == N
    changed = original.to_pandas()
    changed.at[12, column] = CHANGES[column]
    rewrite(path, pyarrow.Table.from_pandas(changed, original.schema, preserve_index=False), checksums)
    with pytest.raises(TableError, match=rf"paragraphs\.parquet: column {column} is not .*; delete it"):
        read(PARAGRAPHS, path)
    untouched = [name for name in original.column_names if name != column]
    assert len(read(PARAGRAPHS, path, untouched)) == N


@pytest.mark.parametrize("change", ["fewer rows", "no checksums", "other row groups", "moved rows"])
def test_a_file_that_was_written_again_is_refused(path, kept, change):
    table, checksums = kept
    if change == "fewer rows":
        rewrite(path, table[:20], checksums)
    elif change == "no checksums":
        rewrite(path, table, json.dumps({}))
    else:  # ids are asked for by the place of their rows
        rewrite(path, table, checksums, [N] if change == "other row groups" else [4, 6, 5, 5, 3])
    with pytest.raises(TableError, match=r"paragraphs\.parquet: .* not as it was .*; delete it"):
        read(PARAGRAPHS, path, ["count"])


@pytest.mark.parametrize(
    "values", [[1, None, 3], ["a", None, ""], [[1, 2], None, [3, 4]], [True, None, False], [0.5, None, 1.5]]
)
def test_checksums_depend_on_values_not_on_their_place_in_memory(values):
    column = pyarrow.chunked_array([values])
    moved = pyarrow.chunked_array([pyarrow.array([None, *values])[1:3], pyarrow.array(values)[2:]])
    assert checksum(column) == checksum(moved)
    assert checksum(column) != checksum(pyarrow.chunked_array([values[::-1]]))
    if isinstance(values[0], str):
        assert checksum(column) == checksum(column.dictionary_encode())


@pytest.mark.parametrize("value", [1, "a", "", [1, 2], True, 0.5])
def test_checksums_see_which_values_are_null(value):
    columns = [[value, None, None], [None, value, None], [value, None], [value, None, None, None]]
    assert len({checksum(pyarrow.chunked_array([column])) for column in columns}) == 4


def test_one_changed_float_changes_the_checksum():
    values = np.linspace(0, 1, 7)
    before = checksum(pyarrow.chunked_array([values]))
    values[3] = np.nextafter(values[3], 1)
    assert checksum(pyarrow.chunked_array([values])) != before
