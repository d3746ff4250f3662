"""The files of text that the settings name: files, globs, and folders, which give all text below them.

Rows of some kinds of files are documents of their own. A file of any other ending is a plain text.
"""

import codecs
import os
from collections.abc import Sequence
from glob import has_magic
from pathlib import Path

from memloc.run.errors import InputError

ROWS = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".json.gz", ".parquet")
NOT_TEXT = "{file}: not {encoding} text ({error}); convert it, or name its encoding"
ENDINGS = (".txt", ".txt.gz", *ROWS)
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
