"""Files and folders that appear complete or not at all.

They are written next to their final place, flushed to the disk and renamed. A rename is atomic only within
one file system. Temporary names end like the final ones, since many writers choose the format by the suffix.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4


@contextmanager
def atomic_path(final: Path | str) -> Iterator[Path]:
    """Yield a temporary path; on success its file replaces `final`, on any error it is deleted.

    The caller creates the file (FileNotFoundError if it does not). Missing parent folders are made.
    """
    final = Path(final)
    final.parent.mkdir(parents=True, exist_ok=True)
    temporary = _beside(final)
    try:
        yield temporary
        _flush(temporary)
        os.replace(temporary, final)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _flush(final.parent)


def write_text(final: Path | str, text: str) -> None:
    """Write a file of text atomically."""
    with atomic_path(final) as temporary:
        temporary.write_text(text)


@contextmanager
def atomic_folder(final: Path | str) -> Iterator[Path]:
    """Yield a new empty folder; on success it takes the place of `final`, on any error it is deleted.

    An existing folder `final` stays in place until the new one is complete.
    """
    final = Path(final)
    final.parent.mkdir(parents=True, exist_ok=True)
    temporary = _beside(final)
    temporary.mkdir()
    try:
        yield temporary
        for path in [*temporary.rglob("*"), temporary]:
            _flush(path)
        if final.exists():
            shutil.rmtree(final)
        os.replace(temporary, final)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    _flush(final.parent)


def _beside(final: Path) -> Path:
    return final.with_name(f".partial-{uuid4().hex[:8]}-{final.name}")


def _flush(path: Path) -> None:
    """Write a file's content, or a folder's entries, through to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
