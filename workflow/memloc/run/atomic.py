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
    """Yield a temporary path; on success its file or folder replaces `final`, on any error it is deleted.

    The caller creates it (FileNotFoundError if it does not). Missing parent folders are made. An existing
    `final` stays in place until the new one is complete.
    """
    final = Path(final)
    final.parent.mkdir(parents=True, exist_ok=True)
    temporary = final.with_name(f".partial-{uuid4().hex[:8]}-{final.name}")
    try:
        yield temporary
        for path in [*temporary.rglob("*"), temporary]:
            _flush(path)
        if temporary.is_dir() and final.exists():
            shutil.rmtree(final)
        os.replace(temporary, final)
    except BaseException:
        if temporary.is_dir():
            shutil.rmtree(temporary, ignore_errors=True)
        else:
            temporary.unlink(missing_ok=True)
        raise
    _flush(final.parent)


def write_text(final: Path | str, text: str) -> None:
    """Write a file of text atomically."""
    with atomic_path(final) as temporary:
        temporary.write_text(text)


@contextmanager
def atomic_folder(final: Path | str) -> Iterator[Path]:
    """Yield a new empty folder, which takes the place of `final` as a file of `atomic_path` does."""
    with atomic_path(final) as temporary:
        temporary.mkdir()
        yield temporary


def _flush(path: Path) -> None:
    """Write a file's content, or a folder's entries, through to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
