"""Parquet files that are written and read a row group at a time, with a checksum of every column of each.

All row groups but the last have the same number of rows, so that a file's bytes depend on its rows alone and
not on the pieces in which they came. Memory is that of one row group. Checksums reveal rows that somebody
edited.
"""

import json
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow
import pyarrow.compute as compute
import pyarrow.parquet as parquet

ROWS = 2**14
# Parquet's own page checksums are those of a file's bytes: they are valid, too, where somebody has read the
# rows, edited them and written them again.
CHECKSUMS = b"memloc_checksums"


class DamagedError(ValueError):
    """A file whose bytes cannot be read, or whose rows are not those that were written."""


class RowGroupWriter:
    """Collects rows and writes them in row groups of `ROWS`; `close` writes the rest and the checksums."""

    def __init__(self, file: Path, schema: pyarrow.Schema) -> None:
        self._writer = parquet.ParquetWriter(file, schema, compression="zstd")
        self._waiting = schema.empty_table()
        self._checksums: dict[str, list[int]] = {name: [] for name in schema.names}

    def append(self, rows: pyarrow.Table) -> None:
        """Add rows of the file's schema."""
        self._waiting = pyarrow.concat_tables([self._waiting, rows.cast(self._waiting.schema)])
        while len(self._waiting) >= ROWS:
            self._write(self._waiting.slice(0, ROWS))
            self._waiting = self._waiting.slice(ROWS)

    def close(self) -> None:
        """Write the remaining rows and the footer."""
        if len(self._waiting):
            self._write(self._waiting)
        self._writer.add_key_value_metadata({CHECKSUMS.decode(): json.dumps(self._checksums)})
        self._writer.close()

    def abandon(self) -> None:
        """Close the file without its footer: it is incomplete."""
        self._writer.close()

    def _write(self, rows: pyarrow.Table) -> None:
        self._writer.write_table(rows, row_group_size=ROWS)
        for name, found in self._checksums.items():
            found.append(checksum(rows[name]))


def checksum(column: pyarrow.ChunkedArray) -> int:
    """CRC-32 of a column's values, the same however they lie in memory; lists must have one length."""
    values = column.combine_chunks()
    present = values.is_valid().to_numpy(zero_copy_only=False).tobytes()
    if pyarrow.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    # Flattening drops the empty lists in the places of missing ones.
    values = values.flatten() if pyarrow.types.is_list(values.type) else values.drop_null()
    if pyarrow.types.is_string(values.type) or pyarrow.types.is_large_string(values.type):
        whole = pyarrow.ListArray.from_arrays([0, len(values)], values.cast(pyarrow.string()))
        content = compute.binary_join(whole, "\0")[0].as_buffer()
    else:
        content = values.to_numpy(zero_copy_only=False).tobytes()
    return zlib.crc32(content, zlib.crc32(present))


def row_groups(
    path: Path | str, columns: Sequence[str], rows: range | None = None
) -> Iterator[pyarrow.Table]:
    """The chosen columns of a file, row group by row group, each compared with its checksums.

    `rows` chooses consecutive rows; row groups without any of them are not read. Without rows, one empty
    table comes.

    Raises:
        DamagedError: the bytes cannot be read, or differ from what was written.
    """
    try:
        with parquet.ParquetFile(path) as file:
            checksums = _checksums(file)
            if missing := sorted(set(columns) - set(checksums)):
                raise DamagedError(f"has no column {', '.join(missing)}")
            rows = range(file.metadata.num_rows) if rows is None else rows
            for group in range(rows.start // ROWS, -(-rows.stop // ROWS) if rows else 0):
                table = file.read_row_group(group, columns=list(columns))
                for name in columns:
                    if checksum(table[name]) != checksums[name][group]:
                        raise DamagedError(f"column {name} is not as it was written")
                start = max(rows.start - group * ROWS, 0)
                yield table.slice(start, rows.stop - group * ROWS - start)
            if not rows:
                yield file.schema_arrow.empty_table().select(list(columns))
    except (pyarrow.ArrowException, OSError) as error:
        raise DamagedError(f"damaged Parquet file ({error})") from None


def _checksums(file: parquet.ParquetFile) -> dict[str, list[int]]:
    """Checksums of every column. A file with other columns or another number of row groups is damaged.

    Row groups of another size have other checksums.
    """
    checksums = json.loads(file.metadata.metadata.get(CHECKSUMS, b"{}"))
    numbers = set(map(len, checksums.values()))
    if numbers != {file.num_row_groups} or set(checksums) != set(file.schema_arrow.names):
        raise DamagedError("the file is not as it was written")
    return checksums
