"""Whether a bundle and the results that it was made from are unchanged: hashes, nothing missing or added.

Needs no network. A bundle is not signed: nobody detects a change of a file together with its hash in the
metadata. Against that, compare the hash of the whole bundle with one that reached you in another way.
"""

import errno
import hashlib
import json
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote

from memloc.run.errors import InputError

METADATA = "ro-crate-metadata.json"
RUN = "#run"  # the entity whose results are the study's files
MEASUREMENTS = (Path("benchmarks"), ".parquet")  # folder and ending; `snakemake estimate` adds such a table
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError)  # raised by zipfile


def sha256(path: Path) -> str:
    """SHA-256 of a file, or of the lines that `sha256sum` prints for a folder's files, in order of names."""
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        lines = (f"{sha256(file)}  {file.relative_to(path).as_posix()}\n" for file in files)
        return hashlib.sha256("".join(lines).encode()).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def differences(bundle: Path, results: Path | None = None) -> list[str]:
    """Files of a bundle and, if given, of the results that differ from the bundle's metadata, a line each.

    `bundle` is the zip file, or the folder that it was unpacked to. InputError: it is no bundle, or damaged.
    """
    if bundle.is_dir():
        return list(_differences(bundle, results))
    with tempfile.TemporaryDirectory() as folder:
        _unpack(bundle, folder)
        return list(_differences(Path(folder), results))


def _unpack(bundle: Path, folder: str) -> None:
    """Unpack a zip file. InputError: it is another file, is cut off, or has a damaged member."""
    if not bundle.is_file():
        raise InputError(f"{bundle}: no bundle; `snakemake bundle` makes it")
    try:
        with zipfile.ZipFile(bundle) as file:
            file.extractall(folder)
    except DAMAGE as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:  # such as a full disk
            raise
        raise InputError(f"{bundle}: damaged, or no zip file ({error}); copy it, or make it, again") from None


def _differences(folder: Path, results: Path | None) -> Iterator[str]:
    listed, made = _listed(folder / METADATA)
    yield from _compare(folder, listed, _files(folder) - {METADATA}, "in the bundle")
    if results:
        own = {place: digest for place, digest in listed.items() if place in made}
        kinds = {(Path(place).parent, Path(place).suffix) for place in own} - {MEASUREMENTS}
        there = {place for place in _files(results) if (Path(place).parent, Path(place).suffix) in kinds}
        yield from _compare(results, own, there, f"in {results}")


def _listed(metadata: Path) -> tuple[dict[str, str], set[str]]:
    """Hashes of all files of a bundle by their place, and the places of files that the study made."""
    try:
        graph = {entity["@id"]: entity for entity in json.loads(metadata.read_text())["@graph"]}
        hashes = {unquote(name): it["sha256"] for name, it in graph.items() if "File" in it["@type"]}
        return hashes, {unquote(made["@id"]) for made in graph[RUN]["result"]}
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"{metadata.name} of the bundle is missing or cannot be read") from None


def _files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def _compare(folder: Path, listed: Mapping[str, str], there: set[str], where: str) -> Iterator[str]:
    for place, digest in sorted(listed.items()):
        if not (folder / place).is_file():
            yield f"{place}: missing {where}"
        elif sha256(folder / place) != digest:
            yield f"{place}: changed {where}"
    yield from (f"{place}: added {where}" for place in sorted(there - set(listed)))
