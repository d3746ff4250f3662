"""Which files of text the settings name: files, globs, and folders with everything that holds text below."""

from collections.abc import Sequence
from pathlib import Path

from memloc.run.errors import InputError

ENDINGS = (".txt", ".txt.gz", ".jsonl", ".jsonl.gz", ".jsonl.zst", ".json.gz", ".parquet")
KNOWN = f"{', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}"


class TextError(InputError):
    """A text file that cannot be used."""


def text_files(given: Sequence[str], key: str) -> list[str]:
    """Files of text that the entries of a setting name, each once: entry by entry, by name within each.

    An address is taken as it is.

    A folder, such as a dataset of the Hugging Face hub, gives the files below it whose endings are known; its
    other files (README, licence) are not part of its text.

    Raises:
        TextError: names the setting and the entry that no file fits, or a file of another kind.
    """
    found: dict[str, None] = {}
    for entry in given:
        files = [entry] if "://" in entry else _files_of(entry)
        if not files:
            raise TextError(f"{key}: {entry}: no file that ends in {KNOWN}; correct the path")
        if other := [file for file in files if not file.endswith(ENDINGS)]:
            raise TextError(f"{key}: {other[0]}: a text file ends in {KNOWN}")
        found.update(dict.fromkeys(files))
    return list(found)


def _files_of(entry: str) -> list[str]:
    if Path(entry).is_dir():
        below = (str(path) for path in Path(entry).rglob("*") if path.is_file())
        return sorted(path for path in below if path.endswith(ENDINGS))
    if Path(entry).is_file():
        return [entry]
    root = Path(entry).anchor
    return sorted(str(path) for path in Path(root).glob(entry.removeprefix(root)) if path.is_file())
