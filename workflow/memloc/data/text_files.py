"""The files of text that the settings name: files, globs, and folders, which give all text below them.

Rows of some kinds of files are documents of their own. A file of any other ending is a plain text. Documents
are read as a stream: memory holds one.
"""

import codecs
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from glob import has_magic
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet as parquet

from memloc.run.errors import InputError

ROWS = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".json.gz", ".parquet")
NOT_TEXT = "{file}: not {encoding} text ({error}); convert it, or name its encoding"
ENDINGS = (".txt", ".txt.gz", *ROWS)
N_ROWS = 1000  # rows of a Parquet file that are held at a time
N_BYTES = 2**16  # of a file, by which it is seen that it is no text


def text_files(given: Sequence[str], key: str, encoding: str = "utf-8") -> list[str]:
    """Files of text that the entries of a setting name, each once, in the order of entries and names.

    An address stays as it is. A folder, such as a dataset of the Hugging Face hub, gives the files below it
    whose endings are known; its other files (README, licence) are not part of its text. A folder without any,
    such as one of sources, gives all files of text below it, without hidden ones.

    Raises:
        InputError: no file fits an entry, all that do are empty, one cannot be read, or plain text begins
            with what is none in its `encoding`; names the setting and the file or entry.
    """
    found: dict[str, None] = {}
    for entry in given:
        try:
            files = [entry] if "://" in entry else _readable(_files_of(entry), encoding)
        except OSError as error:
            raise InputError(
                f"{key}: {error.filename or entry}: cannot be read ({error.strerror}); make it readable"
            ) from None
        if not files and not Path(entry).is_dir() and not has_magic(entry):
            raise InputError(f"{key}: {entry}: no such file or folder; correct the path")
        if not files:
            raise InputError(f"{key}: {entry}: no file of text; correct the path")
        if "://" not in entry and not any(map(os.path.getsize, files)):
            raise InputError(f"{key}: {entry}: empty; give text")
        found.update(dict.fromkeys(files))
    return list(found)


def _files_of(entry: str) -> list[str]:
    if Path(entry).is_dir():
        # Unlike `rglob`, `walk` reports a folder that may not be read, whose text would be missing.
        below = os.walk(Path(entry), onerror=_raise)
        paths = [
            path for folder, _, names in below for name in names if (path := Path(folder, name)).is_file()
        ]
        known = [path for path in paths if path.name.endswith(ENDINGS)]
        return sorted(map(str, known or (path for path in paths if _is_text(path.relative_to(entry), path))))
    if Path(entry).is_file():
        return [entry]
    root = Path(entry).anchor
    return sorted(str(path) for path in Path(root).glob(entry.removeprefix(root)) if path.is_file())


def _is_text(place: Path, path: Path) -> bool:
    """Whether a file is neither hidden, by its place in a folder, nor begins with what no text holds."""
    if any(part.startswith(".") for part in place.parts):
        return False
    with path.open("rb") as file:
        return b"\0" not in file.read(N_BYTES)


def _readable(files: list[str], encoding: str) -> list[str]:
    """The same files. OSError: one cannot be opened. InputError: one begins with what is no text."""
    for file in files:
        with open(file, "rb") as opened:
            begin = opened.read(N_BYTES)
        if not file.endswith((".gz", *ROWS)):
            try:
                codecs.getincrementaldecoder(encoding)().decode(begin, final=len(begin) < N_BYTES)
            except LookupError:
                raise InputError(
                    f"{encoding}: no encoding that Python knows; utf-8 and latin-1 are"
                ) from None
            except UnicodeDecodeError as error:
                raise InputError(NOT_TEXT.format(file=file, encoding=encoding, error=error)) from None
    return files


def _raise(error: OSError) -> None:
    raise error


def documents(file: Path | str, field: str, encoding: str = "utf-8") -> Iterator[str]:
    """Documents of a file that `text_files` found: a plain text is one, others have one per row, in `field`.

    Rows are lines of JSON, or rows of a .parquet file. `encoding` is that of plain text.

    Raises:
        InputError: a row lacks the field, or the file is damaged; names the file and the line or row.
    """
    if not str(file).endswith(ROWS):
        content = io.BytesIO(b"".join(line for _, line in _numbered_lines(str(file))))
        try:
            yield io.TextIOWrapper(content, encoding=encoding).read()  # any line ends become \n
        except UnicodeDecodeError as error:
            raise InputError(NOT_TEXT.format(file=file, encoding=encoding, error=error)) from None
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
