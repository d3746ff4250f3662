"""Write and read tables.

A table is a Parquet file that is validated on write, written atomically, and carries its provenance (study,
model, settings, code, seed, versions, units) in the file's metadata. On reading, Parquet's checksums of pages
prove that the rows are the validated ones; they are validated again only if the schema has changed since. A
file that lacks a column, which the schema has got since, can be read without it. Memory holds one row group.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow
import pyarrow.compute as compute
import pyarrow.parquet as parquet

from memloc.run.atomic import atomic_path
from memloc.tables.columns import Columns, Lengths, Schema, TableError
from memloc.tables.validation import broken, pandas_type, validate

ROWS = 2**14
"""Rows of all row groups but the last, so that a file's bytes do not depend on the pieces they came in."""

METADATA_KEY = b"memloc"


class TableWriter:
    """Writes a table piece by piece. Every piece is validated, and memory holds one row group.

    Values that must be unique are kept until the end and compared over all pieces.
    """

    def __init__(self, schema: Schema, file: Path, provenance: dict[str, Any]) -> None:
        self._schema, self._lengths = schema, _lengths(provenance)
        columns = schema.columns(self._lengths)
        arrow = _arrow_schema(columns)
        units = {name: column.unit for name, column in columns.items() if column.unit}
        judged = {"units": units, "schema": schema.fingerprint(self._lengths)}
        stamp = json.dumps({"table": schema.name, **provenance, **judged}).encode()
        arrow = arrow.with_metadata({**arrow.metadata, METADATA_KEY: stamp})
        self.file = parquet.ParquetWriter(file, arrow, compression="zstd", write_page_checksum=True)
        self._waiting = arrow.empty_table()
        self._unique = {column: [] for column, check in columns.items() if check.unique}

    def append(self, frame: pd.DataFrame) -> None:
        """Add rows. TableError: they break the schema."""
        frame = validate(self._schema, frame, self._lengths)
        for column, values in self._unique.items():
            values.append(frame[column])
        arrow = self._waiting.schema
        rows = pyarrow.Table.from_pandas(frame, arrow, preserve_index=False).cast(arrow)
        self._waiting = pyarrow.concat_tables([self._waiting, rows])
        while len(self._waiting) >= ROWS:
            self.file.write_table(self._waiting[:ROWS], row_group_size=ROWS)
            self._waiting = self._waiting[ROWS:]

    def finish(self) -> None:
        """Write the remaining rows. TableError: values that must be unique come more than once."""
        for column, pieces in self._unique.items():
            values = pd.concat(pieces, ignore_index=True) if len(pieces) > 1 else pd.Series(dtype=object)
            repeated = values[values.duplicated(keep=False)]
            if len(repeated):
                rows = {"column": column, "check": "field_uniqueness", "index": repeated.index}
                raise broken(self._schema, pd.DataFrame({**rows, "failure_case": repeated}))
        if len(self._waiting):
            self.file.write_table(self._waiting)


def _arrow_schema(columns: Columns) -> pyarrow.Schema:
    """Types of the file's columns, which follow from the table's schema and not from its rows."""
    empty = pd.DataFrame({name: pd.Series(dtype=pandas_type(column)) for name, column in columns.items()})
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
        with table.file:  # writes the footer at its end
            yield table
            table.finish()


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
    """The schema's table from `path`: all columns that are there, some columns, or rows with one of the ids.

    With `ids`, memory holds only the rows with one of them, and `columns` must hold `id`.

    Raises:
        TableError: the file cannot be read, is another table, was changed, breaks the schema, or lacks one of
            `columns`.
    """
    stamp = _stamp_of(schema, path)
    with _naming(path):
        parts = _row_groups(schema, path, stamp, columns)
        if ids is not None:  # filtered by Arrow: Python objects would keep their row group alive
            wanted = pyarrow.array(list(ids), pyarrow.int64())
            parts = (rows.filter(compute.is_in(rows["id"], value_set=wanted)) for rows in parts)
        return _validated(schema, stamp, pyarrow.concat_tables(parts))


def batches(
    schema: Schema, path: str | Path, columns: Sequence[str] | None = None, rows: range | None = None
) -> Iterator[pd.DataFrame]:
    """The rows of a table, or the range `rows` of them, piece by piece; memory holds one row group.

    There is at least one piece, which may be empty. Unique ids were checked when the table was written.

    Raises:
        TableError: see `read`.
    """
    stamp = _stamp_of(schema, path)
    with _naming(path):
        for group in _row_groups(schema, path, stamp, columns, rows):
            yield _validated(schema, stamp, group)


def _row_groups(
    schema: Schema,
    path: str | Path,
    stamp: dict[str, Any],
    columns: Sequence[str] | None,
    rows: range | None = None,
) -> Iterator[pyarrow.Table]:
    """Columns of a file by row groups. Row groups outside of the range `rows` are not read; an empty range
    gives one empty table.
    """
    with parquet.ParquetFile(path, page_checksum_verification=True) as file:
        there = file.schema_arrow.names
        columns = list(columns or (name for name in schema.columns(_lengths(stamp)) if name in there))
        if missing := sorted(set(columns) - set(there)):
            rule = stamp["rule"]
            raise TableError(
                f"has no column {', '.join(missing)}: older code wrote it; run the rule that makes it again, "
                f"with the config of the study: snakemake --cores all {rule} --forcerun {rule}"
            )
        rows = range(file.metadata.num_rows) if rows is None else rows
        start = 0
        for group in range(file.num_row_groups if rows else 0):
            n_rows = file.metadata.row_group(group).num_rows
            if own := range(max(rows.start - start, 0), min(rows.stop - start, n_rows)):
                yield file.read_row_group(group, columns=columns)[own.start : own.stop]
            start += n_rows
        if not rows:
            yield file.schema_arrow.empty_table().select(columns)


def _validated(schema: Schema, stamp: dict[str, Any], rows: pyarrow.Table) -> pd.DataFrame:
    """Rows as a frame, validated unless they were written with the same schema."""
    lengths, frame = _lengths(stamp), rows.to_pandas()
    if stamp.get("schema") == schema.fingerprint(lengths):
        return frame
    return validate(schema, frame, lengths, rows.column_names)


@contextmanager
def _naming(path: str | Path) -> Iterator[None]:
    """Add the file's name to errors, and advice on damage."""
    try:
        yield
    except (pyarrow.ArrowException, OSError) as error:
        raise TableError(f"{path}: damaged Parquet file ({error}); delete it and run again") from None
    except TableError as error:
        raise TableError(f"{path}: {error}") from None


def _stamp_of(schema: Schema, path: str | Path) -> dict[str, Any]:
    stamp = provenance(path)
    if stamp.get("table") != schema.name:
        raise TableError(f"{path}: holds table {stamp.get('table')!r}, not {schema.name!r}")
    return stamp


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
