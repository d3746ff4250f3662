"""The files of text that the settings name: files, globs, and folders, which give all text below them."""

import os
from collections.abc import Sequence
from glob import has_magic
from pathlib import Path

from memloc.run.errors import InputError

ENDINGS = (".txt", ".txt.gz", ".jsonl", ".jsonl.gz", ".jsonl.zst", ".json.gz", ".parquet")
KNOWN = f"{', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}"


def text_files(given: Sequence[str], key: str) -> list[str]:
    """Files of text that the entries of a setting name, each once, in the order of entries and names.

    An address stays as it is. A folder, such as a dataset of the Hugging Face hub, gives the files below it
    whose endings are known; its other files (README, licence) are not part of its text.

    Raises:
        InputError: no file fits an entry, a file is of another kind, or it cannot be read; names the setting
            and the file or entry.
    """
    found: dict[str, None] = {}
    for entry in given:
        try:
            files = [entry] if "://" in entry else _readable(_files_of(entry))
        except OSError as error:
            raise InputError(
                f"{key}: {error.filename or entry}: cannot be read ({error.strerror}); "
                "give the user who runs Snakemake the right to read it"
            ) from None
        if not files and not Path(entry).is_dir() and not has_magic(entry):
            raise InputError(f"{key}: {entry}: no such file or folder; correct the path")
        if not files:
            raise InputError(f"{key}: {entry}: no file that ends in {KNOWN}; correct the path")
        if other := [file for file in files if not file.endswith(ENDINGS)]:
            raise InputError(f"{key}: {other[0]}: a text file ends in {KNOWN}; rename plain text to .txt")
        found.update(dict.fromkeys(files))
    return list(found)


def _files_of(entry: str) -> list[str]:
    if Path(entry).is_dir():
        # Unlike `rglob`, `walk` reports a folder that may not be read, whose text would be missing.
        below = os.walk(Path(entry), onerror=_raise)
        paths = (Path(folder, name) for folder, _, names in below for name in names)
        return sorted(str(path) for path in paths if path.name.endswith(ENDINGS) and path.is_file())
    if Path(entry).is_file():
        return [entry]
    root = Path(entry).anchor
    return sorted(str(path) for path in Path(root).glob(entry.removeprefix(root)) if path.is_file())


def _readable(files: list[str]) -> list[str]:
    """The same files. OSError: one cannot be opened."""
    for file in files:
        open(file, "rb").close()
    return files


def _raise(error: OSError) -> None:
    raise error
