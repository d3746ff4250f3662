"""Write and read tables.

A table is a Parquet file that is validated on write and on read, written atomically, and carries its
provenance (study, model, settings, code, seed, versions, units) in the file's metadata.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa
import pyarrow
import pyarrow.compute as compute
import pyarrow.parquet as parquet

from memloc.run.atomic import atomic_path
from memloc.tables.row_groups import DamagedError, RowGroupWriter, row_groups
from memloc.tables.schema import Lengths, Schema, TableError, _explain, validate

METADATA_KEY = b"memloc"


class TableWriter:
    """A table that is written piece by piece. Every piece is validated, and memory holds one row group.
    Values that must be unique are kept until the end and compared over all pieces.
    """

    def __init__(self, schema: Schema, file: Path, provenance: dict[str, Any]) -> None:
        self._schema, self._lengths = schema, _lengths(provenance)
        self._columns = schema.columns(self._lengths)
        arrow = _arrow_schema(self._columns)
        units = {
            name: column.metadata["unit"] for name, column in self._columns.items() if column.metadata["unit"]
        }
        stamp = json.dumps({"table": schema.name, **provenance, "units": units}).encode()
        self.rows = RowGroupWriter(file, arrow.with_metadata({**arrow.metadata, METADATA_KEY: stamp}))
        self._unique = {column: [] for column, check in self._columns.items() if check.unique}

    def append(self, frame: pd.DataFrame) -> None:
        """Add rows. TableError: they break the schema."""
        frame = validate(self._schema, frame, self._lengths)
        for column, values in self._unique.items():
            values.append(frame[column])
        self.rows.append(pyarrow.Table.from_pandas(frame, _arrow_schema(self._columns), preserve_index=False))

    def check(self) -> None:
        """Compare the values that must be unique. TableError: some come more than once."""
        for column, values in self._unique.items():
            values = pd.concat(values, ignore_index=True) if len(values) > 1 else pd.Series(dtype=object)
            repeated = values[values.duplicated(keep=False)]
            if len(repeated):
                rows = {"column": column, "check": "field_uniqueness", "index": repeated.index}
                raise TableError(
                    _explain(self._schema.name, pd.DataFrame({**rows, "failure_case": repeated}))
                )


def _arrow_schema(columns: dict[str, pa.Column]) -> pyarrow.Schema:
    """Types of the file's columns: they follow from the table's schema, whatever rows there are."""
    empty = pd.DataFrame({name: pd.Series(dtype=str(column.dtype)) for name, column in columns.items()})
    for name, column in columns.items():
        if isinstance(column.dtype.type, pd.CategoricalDtype):
            empty[name] = empty[name].astype(column.dtype.type)
    inferred = pyarrow.Schema.from_pandas(empty, preserve_index=False)
    lists = pyarrow.list_(pyarrow.int64())
    fields = [field.with_type(lists) if empty[field.name].dtype == object else field for field in inferred]
    return pyarrow.Table.from_pandas(empty, pyarrow.schema(fields), preserve_index=False).schema


@contextmanager
def writer(schema: Schema, path: str | Path, provenance: dict[str, Any]) -> Iterator[TableWriter]:
    """A `TableWriter` of the schema's table; the file appears at the end, and only without an error.

    `provenance["paragraph"]` holds the lengths (`length`, `prefix`) that the schema depends on.

    Raises:
        TableError: rows break the schema; nothing is written.
    """
    with atomic_path(Path(path)) as temporary:
        table = TableWriter(schema, temporary, provenance)
        try:
            yield table
            table.check()
        except BaseException:
            table.rows.abandon()
            raise
        table.rows.close()


def write(schema: Schema, frame: pd.DataFrame, path: str | Path, provenance: dict[str, Any]) -> None:
    """Write a whole table: see `writer`."""
    with writer(schema, path, provenance) as table:
        table.append(frame)


def read(
    schema: Schema,
    path: str | Path,
    columns: Sequence[str] | None = None,
    ids: Iterable[int] | None = None,
) -> pd.DataFrame:
    """The schema's table from `path`, validated: all of it, or some columns, or the rows with one of the ids.

    With `ids`, memory is that of the rows that have one; `columns` must hold `id`.

    Raises:
        TableError: the file cannot be read, is another table, was changed, or breaks the schema.
    """
    lengths = _stored_lengths(schema, path)
    with _naming(path):
        parts = row_groups(path, columns or schema.columns(lengths))
        if (
            ids is not None
        ):  # chosen before they become Python objects, which would keep their row group alive
            wanted = pyarrow.array(list(ids), pyarrow.int64())
            parts = (rows.filter(compute.is_in(rows["id"], value_set=wanted)) for rows in parts)
        return validate(schema, pyarrow.concat_tables(parts).to_pandas(), lengths, columns)


def batches(
    schema: Schema, path: str | Path, columns: Sequence[str] | None = None, rows: range | None = None
) -> Iterator[pd.DataFrame]:
    """The rows of a table, or those of the range `rows`, piece by piece; memory holds one row group.

    At least one piece, which may be empty. Unique ids were checked when the table was written.

    Raises:
        TableError: see `read`.
    """
    lengths = _stored_lengths(schema, path)
    with _naming(path):
        for group in row_groups(path, columns or schema.columns(lengths), rows):
            yield validate(schema, group.to_pandas(), lengths, columns)


@contextmanager
def _naming(path: str | Path) -> Iterator[None]:
    """Name the file in errors, and say what to do about damage."""
    try:
        yield
    except DamagedError as error:
        raise TableError(f"{path}: {error}; delete it and run again") from None
    except TableError as error:
        raise TableError(f"{path}: {error}") from None


def _stored_lengths(schema: Schema, path: str | Path) -> Lengths:
    stamp = provenance(path)
    if stamp.get("table") != schema.name:
        raise TableError(f"{path}: holds table {stamp.get('table')!r}, not {schema.name!r}")
    return _lengths(stamp)


def provenance(path: str | Path) -> dict[str, Any]:
    """The provenance that a table's file carries.

    Raises:
        TableError: not a Parquet file, or one that this workflow did not write.
    """
    try:
        metadata = parquet.read_schema(path).metadata or {}
    except (pyarrow.ArrowException, OSError) as error:
        raise TableError(f"{path}: not a readable Parquet file ({error}); delete it and run again") from None
    if METADATA_KEY not in metadata:
        raise TableError(
            f"{path}: carries no provenance, so this workflow did not write it; delete it and run again"
        )
    return json.loads(metadata[METADATA_KEY])


def _lengths(stamp: dict[str, Any]) -> Lengths:
    return Lengths(stamp["paragraph"]["length"], stamp["paragraph"]["prefix"])
