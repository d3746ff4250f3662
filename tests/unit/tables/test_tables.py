"""Tables: what comes back is what was written; what breaks a schema is explained and never written."""

import hashlib

import numpy as np
import pandas as pd
import pyarrow.parquet as parquet
import pytest
from made_tables import STAMP, scores

from memloc.tables import columns as columns_module
from memloc.tables import schema, storage
from memloc.tables.schema import N_ROWS_SHOWN, Lengths, Schema, TableError
from memloc.tables.schemas import STAGES, schema_of
from memloc.tables.storage import read, write


def sets():
    return pd.DataFrame(
        {
            "id": [3, 1],
            "set": ["memorized", "non_memorized"],
            "sampled": [True, False],
            "sampled_rare_tokens": [True, False],
            "continuation": [[7, 8], None],
        }
    )


def test_round_trip(tmp_path):
    path = tmp_path / "scores.parquet"
    write(schema_of("scores"), scores(), path, STAMP)
    pd.testing.assert_frame_equal(read(schema_of("scores"), path), scores())


def test_round_trip_of_lists_and_missing_values(tmp_path):
    path = tmp_path / "sets.parquet"
    write(schema_of("sets"), sets(), path, STAMP)
    frame = read(schema_of("sets"), path)
    assert frame["id"].tolist() == [3, 1]
    assert list(frame["continuation"][0]) == [7, 8] and frame["continuation"][1] is None
    write(schema_of("sets"), frame, tmp_path / "again.parquet", STAMP)
    assert (tmp_path / "again.parquet").read_bytes() == path.read_bytes()


def test_columns_get_the_order_and_types_of_the_schema(tmp_path):
    path = tmp_path / "scores.parquet"
    write(
        schema_of("scores"),
        scores(em=scores()["em"].astype("int8"))[["redecoded", "nll", "em", "margin", "id"]],
        path,
        STAMP,
    )
    pd.testing.assert_frame_equal(read(schema_of("scores"), path), scores())


@pytest.mark.parametrize(
    ("frame", "column", "parts"),
    [
        (scores(em=[0, 1, 3, 2, 1, 0, 1, 2]), "em", ["row 2: 3", "in_range(0, 2)", "1 places"]),
        (scores(em=9), "em", ["row 0: 9", "row 4: 9", "8 places"]),
        (scores(em=[0, 1, 0.5, 2, 1, 0, 1, 2]), "em", ["type int64", "1 places", "row 2: 0.5"]),
        (scores(em=[None, *[1] * 7]), "em", ["int64"]),
        (scores(redecoded=[True, None] * 4), "redecoded", ["type bool", "row 1: None", "row 3: None"]),
        (scores(redecoded=2), "redecoded", ["type bool", "row 0: 2"]),
        (scores(nll=[np.nan, *[1.0] * 7]), "nll", ["not_nullable", "row 0"]),
        (scores(nll=[1.0] * 7 + [np.inf]), "nll", ["finite", "row 7: inf"]),
        (scores(nll=[1.0] * 7 + [-0.1]), "nll", ["row 7: -0.1"]),
        (scores(nll="high"), "nll", ["float64", "high"]),
        (scores(id=[0, 1, 2, 3, 4, 5, 6, 1]), "id", ["field_uniqueness", "row 1: 1", "row 7: 1"]),
        (scores().drop(columns="margin"), "margin", ["column_in_dataframe"]),
        (scores(surprise=1), "surprise", ["column_in_schema"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_violation_names_table_column_and_rows_and_writes_nothing(tmp_path, frame, column, parts):
    with pytest.raises(TableError) as error:
        write(schema_of("scores"), frame, tmp_path / "scores.parquet", STAMP)
    lines = [line for line in str(error.value).splitlines() if f"table scores, column {column}: " in line]
    assert all(any(part in line for line in lines) for part in parts), error.value
    assert not any(tmp_path.iterdir())


def test_many_bad_rows_are_cut_short():
    with pytest.raises(TableError) as error:
        schema.validate(schema_of("scores"), scores(em=9), Lengths(6, 4))
    assert str(error.value).count("row ") == N_ROWS_SHOWN


def test_every_broken_column_has_its_line():
    with pytest.raises(TableError) as error:
        schema.validate(schema_of("scores"), scores(em=9, nll=-1.0), Lengths(6, 4))
    assert [line.split(":")[0] for line in str(error.value).splitlines()] == [
        "table scores, column em",
        "table scores, column nll",
    ]


@pytest.mark.parametrize("tokens", [[7, 8, 9], [7], []])
def test_lists_of_another_length_are_refused(tmp_path, tokens):
    frame = sets().assign(continuation=[tokens, None])
    with pytest.raises(TableError, match="column continuation: .*list of 2 tokens.*row 0"):
        write(schema_of("sets"), frame, tmp_path / "sets.parquet", STAMP)


def test_a_refused_table_leaves_the_old_one(tmp_path):
    path = tmp_path / "scores.parquet"
    write(schema_of("scores"), scores(), path, STAMP)
    before = path.read_bytes()
    with pytest.raises(TableError):
        write(schema_of("scores"), scores(em=9), path, STAMP)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_a_write_that_breaks_off_leaves_the_old_table(tmp_path, monkeypatch):
    path = tmp_path / "scores.parquet"
    write(schema_of("scores"), scores(), path, STAMP)
    before = path.read_bytes()

    def breaks_off(writer, table, **options):
        raise OSError("no space left on device")

    monkeypatch.setattr(parquet.ParquetWriter, "write_table", breaks_off)
    with pytest.raises(OSError, match="no space"):
        write(schema_of("scores"), scores(nll=1.0), path, STAMP)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_a_stored_table_is_validated_on_read(tmp_path):
    path, loose = tmp_path / "scores.parquet", columns_module.integer(0, 99, meaning="Looser.")
    columns = schema_of("scores").columns
    storage.write(
        Schema("scores", lambda lengths: columns(lengths) | {"em": loose}), scores(em=9), path, STAMP
    )
    with pytest.raises(TableError, match=r"scores\.parquet: table scores, column em: .*row 0: 9"):
        read(schema_of("scores"), path)


@pytest.mark.parametrize("n_bytes", [0, 3, 500, -1])
def test_a_truncated_file_is_named(tmp_path, n_bytes):
    path = tmp_path / "scores.parquet"
    write(schema_of("scores"), scores(), path, STAMP)
    path.write_bytes(path.read_bytes()[:n_bytes])
    with pytest.raises(TableError, match=r"scores\.parquet: not a readable Parquet file .*delete it"):
        read(schema_of("scores"), path)


def test_damaged_pages_are_named(tmp_path):
    path = tmp_path / "scores.parquet"
    write(schema_of("scores"), scores(), path, STAMP)
    content = bytearray(path.read_bytes())
    content[4:40] = b"\xff" * 36  # behind the magic number; the footer stays whole
    path.write_bytes(content)
    with pytest.raises(TableError, match=r"(?s)scores\.parquet: damaged Parquet file .*delete it"):
        read(schema_of("scores"), path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(TableError, match="scores.parquet: not a readable Parquet file"):
        read(schema_of("scores"), tmp_path / "scores.parquet")


def test_a_file_of_another_program_is_refused(tmp_path):
    scores().to_parquet(tmp_path / "scores.parquet")
    with pytest.raises(TableError, match=r"scores\.parquet: carries no provenance"):
        read(schema_of("scores"), tmp_path / "scores.parquet")


def test_another_table_is_refused(tmp_path):
    write(schema_of("scores"), scores(), tmp_path / "sets.parquet", STAMP)
    with pytest.raises(TableError, match=r"sets\.parquet: holds table 'scores', not 'sets'"):
        read(schema_of("sets"), tmp_path / "sets.parquet")


def test_provenance_comes_back_with_the_units_of_the_columns(tmp_path):
    write(schema_of("scores"), scores(), tmp_path / "scores.parquet", STAMP)
    stamp = storage.provenance(tmp_path / "scores.parquet")
    units = stamp.pop("units")
    assert stamp == {"table": "scores", **STAMP}
    assert units == {"em": "tokens", "nll": "nats per token", "margin": "logits"}


def test_equal_frames_give_equal_bytes(tmp_path):
    digests = set()
    for name in "ab":
        write(schema_of("scores"), scores(), tmp_path / name, STAMP)
        digests.add(hashlib.sha256((tmp_path / name).read_bytes()).digest())
    assert len(digests) == 1


@pytest.mark.parametrize("name", STAGES)
def test_every_schema_can_be_made_and_refuses_an_empty_frame(name):
    columns = schema_of(name).columns(Lengths())
    assert columns
    with pytest.raises(TableError, match=f"table {name}, column {next(iter(columns))}: "):
        schema.validate(schema_of(name), pd.DataFrame(), Lengths())


@pytest.mark.parametrize("name", STAGES)
def test_every_column_says_what_it_means(name):
    for column, checks in schema_of(name).columns(Lengths()).items():
        assert checks.description.endswith("."), column


@pytest.mark.parametrize("name", STAGES)
def test_columns_with_a_unit_in_one_table_have_it_in_all(name):
    """The same word means the same thing everywhere: a column of numbers named nll_.. has a unit."""
    for column, checks in schema_of(name).columns(Lengths()).items():
        if column.startswith(("nll", "published_nll")) and not column.endswith(("norm", "max", "median")):
            assert checks.metadata["unit"], column
