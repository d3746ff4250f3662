"""Documents of text files, read as a stream: memory is that of the longest document."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow
import pyarrow.parquet as parquet

from memloc.data.text_files import KNOWN, TextError

ROWS = 1000  # of a Parquet file that are held at a time


def documents(file: Path | str, field: str) -> Iterator[str]:
    """Documents of a file: a .txt file is one, a .jsonl or .parquet file has one per row, in `field`.

    The first two may be compressed (.gz, .jsonl.zst).

    Raises:
        TextError: another kind of file, rows without the field, or an archive that is damaged, with its line.
    """
    name = str(file)
    if name.endswith((".txt", ".txt.gz")):
        yield _plain_text(name)
    elif name.endswith((".jsonl", ".jsonl.gz", ".jsonl.zst")):
        for number, line in _numbered_lines(name):
            yield _text_of_row(line, field, f"{name}, line {number}")
    elif name.endswith(".parquet"):
        yield from _rows_of_parquet(name, field)
    else:
        raise TextError(f"{name}: a text file ends in {KNOWN}")


def _plain_text(file: str) -> str:
    content = b"".join(line for _, line in _numbered_lines(file))
    try:
        return io.TextIOWrapper(io.BytesIO(content), encoding="utf-8").read()  # any line ends become \n
    except UnicodeDecodeError as error:
        raise TextError(f"{file}: not UTF-8 text ({error}); convert it") from None


def _numbered_lines(file: str) -> Iterator[tuple[int, bytes]]:
    """Lines from 1 on, decompressed by the file's ending; several archives one after the other are one."""
    number = 0
    with pyarrow.input_stream(file, compression="detect") as source, io.BufferedReader(source) as lines:
        try:
            for number, line in enumerate(lines, start=1):
                yield number, line
        except OSError as error:
            raise TextError(
                f"{file}, line {number + 1}: damaged from here on ({error}); fetch or compress it again"
            ) from None


def _text_of_row(line: bytes, field: str, place: str) -> str:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise TextError(f"{place}: not JSON in UTF-8 ({error})") from None
    if not isinstance(row, dict) or not isinstance(row.get(field), str):
        raise TextError(f"{place}: no text in {field!r}; set data.field to the right key")
    return row[field]


def _rows_of_parquet(file: str, field: str) -> Iterator[str]:
    row = 0
    try:
        with parquet.ParquetFile(file) as table:
            if field not in table.schema_arrow.names:
                names = ", ".join(table.schema_arrow.names)
                raise TextError(f"{file}: no column {field!r}, only {names}; set data.field")
            for batch in table.iter_batches(batch_size=ROWS, columns=[field]):
                yield from (text for text in batch.column(field).to_pylist() if text)
                row += len(batch)
    except (pyarrow.ArrowException, OSError) as error:
        raise TextError(f"{file}, row {row + 1}: damaged from here on ({error}); fetch it again") from None
