"""Tables: what comes back is what was written; what breaks a schema is explained and never written."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from made_tables import LENGTHS, STAMP, frame_of, scores

from memloc.tables import storage
from memloc.tables.columns import Column, Lengths, Schema, TableError, integer
from memloc.tables.schemas import STAGES, schema_of
from memloc.tables.storage import read, write
from memloc.tables.validation import validate

SETS = frame_of(
    "sets", id=[3, 1], set=["memorized", "non_memorized"], sampled=[True, False], continuation=[[7, 8], None]
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "scores.parquet"


@pytest.fixture
def written(path):
    """A table of scores that was written."""
    write(schema_of("scores"), scores(), path, STAMP)
    return path


def test_round_trip_with_the_order_and_types_of_the_schema(path):
    small = scores(em=scores()["em"].astype("int8"))[scores().columns[::-1]]
    write(schema_of("scores"), small, path, STAMP)
    pd.testing.assert_frame_equal(read(schema_of("scores"), path), scores())
    pd.testing.assert_frame_equal(read(schema_of("scores"), path, ["nll", "id"]), scores()[["nll", "id"]])


def test_round_trip_of_lists_and_missing_values(path):
    write(schema_of("sets"), SETS, path, STAMP)
    frame = read(schema_of("sets"), path)
    assert frame["id"].tolist() == [3, 1]
    assert list(frame["continuation"][0]) == [7, 8] and frame["continuation"][1] is None
    before = path.read_bytes()
    write(schema_of("sets"), frame, path, STAMP)
    assert path.read_bytes() == before


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
def test_a_violation_names_table_column_and_rows_and_writes_nothing(written, frame, column, parts):
    before = written.read_bytes()
    with pytest.raises(TableError) as error:
        write(schema_of("scores"), frame, written, STAMP)
    lines = [line for line in str(error.value).splitlines() if f"table scores, column {column}: " in line]
    assert all(any(part in line for line in lines) for part in parts), error.value
    assert written.read_bytes() == before and list(written.parent.iterdir()) == [written]


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        *(("activation_gradients", *bad) for bad in (("component", "w"), ("group", None), ("layer", 40_000))),
        *(("sets", "continuation", tokens) for tokens in ([7, 8, 9], [7], [])),
        ("sets", "set", "others"),
        ("dropped_paragraphs", "reason", ""),
        ("extraction", "log_p", 0.1),
        ("grown", "exposures", -1),
    ],
)
def test_what_a_column_cannot_hold_is_refused(table, column, value):
    wrong = frame_of(table).assign(**{column: pd.Series([value])})
    with pytest.raises(TableError, match=f"table {table}, column {column}: .*row 0"):
        validate(schema_of(table), wrong, LENGTHS)


def test_a_table_of_another_schema_is_validated_on_read(path):
    """Also where the schema has more columns today."""
    columns, loose = schema_of("scores").columns, {"em": integer(0, 99, meaning="Looser.")}
    looser = Schema("scores", lambda lengths: columns(lengths) | loose)
    newer = Schema("scores", lambda lengths: columns(lengths) | {"more": Column("str", meaning="More.")})
    storage.write(looser, scores(em=2), path, STAMP)
    pd.testing.assert_frame_equal(read(schema_of("scores"), path), scores(em=2))
    storage.write(looser, scores(em=9), path, STAMP)
    for pieces in (read, lambda *of: list(storage.batches(*of))):
        for schema in (schema_of("scores"), newer):
            with pytest.raises(TableError, match=r"scores\.parquet: table scores, column em: .*row 0: 9"):
                pieces(schema, path)


def test_a_table_that_lacks_a_column_of_the_schema_is_read_without_it(path):
    columns, more = schema_of("scores").columns, {"more": Column("str", meaning="More.")}
    newer = Schema("scores", lambda lengths: columns(lengths) | more)
    write(schema_of("scores"), scores(), path, STAMP | {"rule": "scores"})
    pd.testing.assert_frame_equal(read(newer, path), scores())
    pd.testing.assert_frame_equal(pd.concat(storage.batches(newer, path)), scores())
    remedy = "older code wrote it; .*: snakemake --cores all scores --forcerun scores$"
    for pieces in (read, lambda *of: list(storage.batches(*of))):
        with pytest.raises(TableError, match=rf"scores\.parquet: has no column more: {remedy}"):
            pieces(newer, path, ["id", "more"])


@pytest.mark.parametrize("n_bytes", [0, 500, -1])
def test_a_file_that_is_cut_short_or_missing_is_named(written, n_bytes):
    written.write_bytes(written.read_bytes()[:n_bytes])
    with pytest.raises(TableError, match=r"scores\.parquet: not a readable Parquet file .*delete it"):
        read(schema_of("scores"), written)
    written.unlink()
    with pytest.raises(TableError, match=r"scores\.parquet: not a readable Parquet file"):
        read(schema_of("scores"), written)


def test_other_files_and_other_tables_are_refused(written):
    with pytest.raises(TableError, match=r"scores\.parquet: holds table 'scores', not 'sets'"):
        read(schema_of("sets"), written)
    scores().to_parquet(written)
    with pytest.raises(TableError, match=r"scores\.parquet: carries no provenance"):
        read(schema_of("scores"), written)


def test_provenance_comes_back_with_the_units_of_the_columns(written):
    stamp = storage.provenance(written)
    assert stamp.pop("schema") == schema_of("scores").fingerprint(LENGTHS)
    units = stamp.pop("units")
    assert units["nll"] == "nats per token" and "id" not in units
    assert stamp == {"table": "scores", **STAMP}


def test_every_schema_judges_frames_and_says_what_columns_mean():
    """Frames of defaults are frames of the table, and missing columns are missed."""
    for name in STAGES:
        columns = schema_of(name).columns(Lengths())
        frame = frame_of(name, Lengths())
        pd.testing.assert_frame_equal(validate(schema_of(name), frame, Lengths()), frame)
        with pytest.raises(TableError, match=f"table {name}, column {next(iter(columns))}: "):
            validate(schema_of(name), pd.DataFrame(), Lengths())
        assert all(column.meaning.endswith(".") for column in columns.values()), name


READER = """
import sys
import memloc
from memloc.tables.schemas import STAGES, schema_of
from memloc.tables.columns import Lengths

assert all(schema_of(name).columns(Lengths()) for name in STAGES)
assert len(memloc.open_study(sys.argv[1]).table("scores")) == 8
heavy = {"pandera", "scipy", "torch", "transformers"}
print(heavy & {name.split(".")[0] for name in sys.modules})
"""


def test_who_reads_tables_loads_nothing_that_judges_them_or_runs_models(tmp_path):
    write(schema_of("scores"), scores(), tmp_path / "tables/scores.parquet", STAMP)
    command = [sys.executable, "-c", READER, str(tmp_path)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "set()\n"
