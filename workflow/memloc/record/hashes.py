"""Hashes of files and folders."""

import hashlib
from pathlib import Path


def sha256(path: Path) -> str:
    """Hash of a file; of a folder that of the lines, by name, which `sha256sum` prints for its files."""
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        lines = (f"{sha256(file)}  {file.relative_to(path).as_posix()}\n" for file in files)
        return hashlib.sha256("".join(lines).encode()).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
