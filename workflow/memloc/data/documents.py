"""Documents of text files, read as a stream: memory holds one document."""

import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet as parquet

from memloc.data.text_files import NOT_TEXT, ROWS
from memloc.run.errors import InputError

N_ROWS = 1000  # rows of a Parquet file that are held at a time


def documents(file: Path | str, field: str, encoding: str = "utf-8") -> Iterator[str]:
    """Documents of a file that `text_files` found: a plain text is one, others have one per row, in `field`.

    Rows are lines of JSON, or rows of a .parquet file. `encoding` is that of plain text.

    Raises:
        InputError: a row lacks the field, or the file is damaged; names the file and the line or row.
    """
    if not str(file).endswith(ROWS):
        yield _plain_text(str(file), encoding)
        return
    for place, row in _rows(str(file), [field]):
        yield _text(row, field, place)


def counted_documents(file: Path | str, field: str, counts: str) -> Iterator[tuple[str, int]]:
    """Documents of a .jsonl or .parquet file, each with the number in its key or column `counts`.

    Raises:
        InputError: as for `documents`; the file is plain text; a row has no number of 0 or more.
    """
    if not str(file).endswith(ROWS):
        raise InputError(f"{file}: plain text has no data.counts: give .jsonl or .parquet files")
    for place, row in _rows(str(file), [field, counts]):
        count = row.get(counts)
        if type(count) is not int or count < 0:
            raise InputError(
                f"{place}: no number of 0 or more in {counts!r}; set data.counts to the right key"
            )
        yield _text(row, field, place), count


def _rows(file: str, keys: list[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Rows of a file with their places. `keys` are the columns that are read, the text first."""
    if file.endswith(".parquet"):
        yield from _rows_of_parquet(file, keys)
        return
    for number, line in _numbered_lines(file):
        place = f"{file}, line {number}"
        try:
            row = json.loads(line)
        except ValueError as error:
            raise InputError(f"{place}: not JSON in UTF-8 ({error})") from None
        yield place, row if isinstance(row, dict) else {}


def _text(row: Mapping[str, Any], field: str, place: str) -> str:
    if not isinstance(row.get(field), str):
        raise InputError(f"{place}: no text in {field!r}, the key or column that is read")
    return row[field]


def _plain_text(file: str, encoding: str) -> str:
    content = b"".join(line for _, line in _numbered_lines(file))
    try:
        return io.TextIOWrapper(io.BytesIO(content), encoding=encoding).read()  # any line ends become \n
    except UnicodeDecodeError as error:
        raise InputError(NOT_TEXT.format(file=file, encoding=encoding, error=error)) from None


def _numbered_lines(file: str) -> Iterator[tuple[int, bytes]]:
    """Numbered lines from 1 on, decompressed by the file's ending; joined archives are read as one."""
    number = 0
    with pyarrow.input_stream(file, compression="detect") as source, io.BufferedReader(source) as lines:
        try:
            for number, line in enumerate(lines, start=1):
                yield number, line
        except OSError as error:
            raise InputError(
                f"{file}, line {number + 1}: damaged from here on ({error}); fetch or compress it again"
            ) from None


def _rows_of_parquet(file: str, keys: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rows whose text is neither missing nor empty."""
    row = 0
    try:
        with parquet.ParquetFile(file) as table:
            names = table.schema_arrow.names
            if missing := [name for name in keys if name not in names]:
                raise InputError(f"{file}: no column {missing[0]!r}, only {', '.join(names)}")
            for batch in table.iter_batches(batch_size=N_ROWS, columns=keys):
                found = ((f"{file}, row {row + at}", each) for at, each in enumerate(batch.to_pylist(), 1))
                yield from (rows for rows in found if rows[1][keys[0]])
                row += len(batch)
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(f"{file}, row {row + 1}: damaged from here on ({error}); fetch it again") from None
