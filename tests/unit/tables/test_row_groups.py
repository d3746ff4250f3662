"""Tables piece by piece: the same file whatever the pieces, and no change of its rows goes unseen."""

import json

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet as parquet
import pytest

from memloc.tables import row_groups
from memloc.tables.row_groups import CHECKSUMS, checksum
from memloc.tables.schema import TableError
from memloc.tables.schemas import schema_of
from memloc.tables.storage import batches, read, write, writer

STAMP = {"study": "x", "paragraph": {"length": 3, "prefix": 1}}
N = 23


@pytest.fixture(autouse=True)
def small_row_groups(monkeypatch):
    monkeypatch.setattr(row_groups, "ROWS", 5)


def paragraphs():
    rng = np.random.default_rng(0)
    words = pd.Series([f"text {i}" if i % 3 else "" for i in range(N)], dtype="str")
    frame = pd.DataFrame(
        {"id": range(N), "count": rng.integers(0, 9, N), "tokens": list(rng.integers(0, 9, (N, 3)))}
    ).assign(text=words, cut_count=None, continuation_count=[i if i % 4 else None for i in range(N)])
    modules = [f"package.module_{i}" if i % 5 else None for i in range(N)]
    return frame.assign(unseen=[i % 7 == 0 for i in range(N)], package="package", module=modules)


def sets():
    continuation = [[7, i] if i % 2 else None for i in range(N)]
    names = ["memorized", "partly_11_29", "non_memorized"]
    frame = pd.DataFrame({"id": range(N), "set": [names[i % 3] for i in range(N)], "sampled": False})
    return frame.assign(sampled_rare_tokens=True, continuation=continuation)


@pytest.mark.parametrize("size", [1, 4, 5, 12, 100])
@pytest.mark.parametrize(("name", "make"), [("paragraphs", paragraphs), ("sets", sets)])
def test_a_file_does_not_depend_on_the_pieces_it_came_in(tmp_path, name, make, size):
    whole, pieces, frame = tmp_path / "whole", tmp_path / "pieces", make()
    write(schema_of(name), frame, whole, STAMP)
    with writer(schema_of(name), pieces, STAMP) as table:
        for start in range(0, N, size):
            table.append(frame[start : start + size])
    assert pieces.read_bytes() == whole.read_bytes()


def test_pieces_are_the_table(tmp_path):
    write(schema_of("paragraphs"), paragraphs(), tmp_path / "table", STAMP)
    pieces = list(batches(schema_of("paragraphs"), tmp_path / "table"))
    assert [len(piece) for piece in pieces] == [5, 5, 5, 5, 3]
    pd.testing.assert_frame_equal(
        pd.concat(pieces, ignore_index=True), read(schema_of("paragraphs"), tmp_path / "table")
    )


@pytest.mark.parametrize("rows", [range(0, 23), range(3, 4), range(5, 10), range(4, 16), range(22, 23)])
def test_a_range_of_rows(tmp_path, rows):
    write(schema_of("paragraphs"), paragraphs(), tmp_path / "table", STAMP)
    pieces = batches(schema_of("paragraphs"), tmp_path / "table", ["id"], rows)
    assert [value for piece in pieces for value in piece.id] == list(rows)


@pytest.mark.parametrize("rows", [range(0), range(7, 7)])
def test_no_rows_are_one_empty_piece(tmp_path, rows):
    write(schema_of("paragraphs"), paragraphs(), tmp_path / "table", STAMP)
    (piece,) = batches(schema_of("paragraphs"), tmp_path / "table", rows=rows)
    assert len(piece) == 0 and list(piece) == list(
        paragraphs()[
            [
                "id",
                "count",
                "cut_count",
                "continuation_count",
                "unseen",
                "package",
                "module",
                "tokens",
                "text",
            ]
        ]
    )


def test_columns_and_ids_can_be_chosen(tmp_path):
    write(schema_of("paragraphs"), paragraphs(), tmp_path / "table", STAMP)
    frame = read(schema_of("paragraphs"), tmp_path / "table", ["count", "id"], ids=[21, 2, 99, 7])
    assert list(frame) == ["count", "id"]
    expected = paragraphs().set_index("id")["count"].loc[[2, 7, 21]]
    assert frame.set_index("id")["count"].to_dict() == expected.to_dict()


def test_an_empty_table_comes_back(tmp_path):
    write(schema_of("sets"), sets()[:0], tmp_path / "table", STAMP)
    assert len(read(schema_of("sets"), tmp_path / "table")) == 0


def test_an_id_that_two_pieces_share_is_found_at_the_end(tmp_path):
    with (
        pytest.raises(TableError, match="paragraphs, column id: breaks field_uniqueness .*row 4: 4, row 23"),
        writer(schema_of("paragraphs"), tmp_path / "table", STAMP) as table,
    ):
        table.append(paragraphs())
        table.append(paragraphs()[4:5])
    assert not list(tmp_path.iterdir())


def test_an_error_between_pieces_leaves_nothing(tmp_path):
    with pytest.raises(KeyError), writer(schema_of("paragraphs"), tmp_path / "table", STAMP) as table:
        table.append(paragraphs())
        raise KeyError
    assert not list(tmp_path.iterdir())


def rewrite(path, table, checksums):
    """Write rows the way an editor would that keeps all metadata."""
    with parquet.ParquetWriter(path, table.schema) as file:
        file.write_table(table, row_group_size=row_groups.ROWS)
        file.add_key_value_metadata({CHECKSUMS.decode(): checksums})


def edited(table):
    """The table with one value of each column changed, column after column."""
    frame = table.to_pandas()
    changes = {
        "id": 77,
        "count": 99,
        "continuation_count": 99,
        "unseen": True,
        "package": "other",
        "module": "package.other",
        "tokens": np.array([1, 1, 1]),
        "text": "other",
    }
    for column, value in changes.items():
        changed = frame.copy()
        changed.at[12, column] = value
        yield column, pyarrow.Table.from_pandas(changed, table.schema, preserve_index=False)


def test_an_edited_value_is_found_in_every_column(tmp_path):
    path = tmp_path / "paragraphs.parquet"
    write(schema_of("paragraphs"), paragraphs(), path, STAMP)
    original, checksums = parquet.read_table(path), parquet.read_metadata(path).metadata[CHECKSUMS].decode()
    rewrite(path, original, checksums)
    assert len(read(schema_of("paragraphs"), path)) == N
    for column, table in edited(original):
        rewrite(path, table, checksums)
        with pytest.raises(TableError, match=rf"paragraphs\.parquet: column {column} is not .*; delete it"):
            read(schema_of("paragraphs"), path)
        untouched = [name for name in original.column_names if name != column]
        assert len(read(schema_of("paragraphs"), path, untouched)) == N


@pytest.mark.parametrize("change", ["fewer rows", "no checksums", "other row groups"])
def test_a_file_that_was_written_again_is_refused(tmp_path, change):
    path = tmp_path / "paragraphs.parquet"
    write(schema_of("paragraphs"), paragraphs(), path, STAMP)
    table, checksums = parquet.read_table(path), parquet.read_metadata(path).metadata[CHECKSUMS].decode()
    if change == "fewer rows":
        rewrite(path, table[:20], checksums)
    elif change == "no checksums":
        rewrite(path, table, json.dumps({}))
    else:
        parquet.write_table(table, path)
    with pytest.raises(TableError, match=r"paragraphs\.parquet: the file is not as it was .*; delete it"):
        read(schema_of("paragraphs"), path)


def test_as_many_row_groups_of_other_sizes_are_refused(tmp_path):
    """Rows would be taken for others: ids are asked for by the place of their rows."""
    path = tmp_path / "paragraphs.parquet"
    same = paragraphs().assign(count=1)
    write(schema_of("paragraphs"), same, path, STAMP)
    table, checksums = parquet.read_table(path), parquet.read_metadata(path).metadata[CHECKSUMS].decode()
    with parquet.ParquetWriter(path, table.schema) as file:
        for start, size in ((0, 4), (4, 6), (10, 5), (15, 5), (20, 3)):
            file.write_table(table[start : start + size])
        file.add_key_value_metadata({CHECKSUMS.decode(): checksums})
    with pytest.raises(TableError, match=r"column count is not as it was written"):
        read(schema_of("paragraphs"), path, ["count"])


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
