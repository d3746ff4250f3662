"""Whether a bundle and the results that it was made from are unchanged: hashes, schemas, nothing missing.

Needs no network. A bundle is not signed: a change of a file, of its hash in the metadata and of the checksums
in a table together is not detected. Compare the hash of the whole bundle with one that came by another way.
"""

import json
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote

from memloc.record.hashes import sha256
from memloc.run.errors import InputError
from memloc.tables import storage
from memloc.tables.schema import TableError
from memloc.tables.schemas import schema_of

METADATA = "ro-crate-metadata.json"
RUN = "#run"  # whose results are the study's files


def differences(bundle: Path, results: Path | None = None) -> list[str]:
    """What differs from the metadata of a bundle, a line each: in it and, if given, the results.

    `bundle` is the zip file, or the folder that it was unpacked to. InputError: it is no bundle.
    """
    if bundle.is_dir():
        return list(_differences(bundle, results))
    if not zipfile.is_zipfile(bundle):
        raise InputError(f"{bundle}: no bundle; `snakemake bundle` makes it")
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(bundle) as file:
        file.extractall(folder)
        return list(_differences(Path(folder), results))


def _differences(folder: Path, results: Path | None) -> Iterator[str]:
    listed, made = _listed(folder / METADATA)
    yield from _compare(folder, listed, _files(folder) - {METADATA}, "in the bundle")
    yield from _broken_tables(folder, [place for place in listed if (folder / place).is_file()])
    if results:
        own = {place: digest for place, digest in listed.items() if place in made}
        kinds = {(Path(place).parent, Path(place).suffix) for place in own}
        there = {place for place in _files(results) if (Path(place).parent, Path(place).suffix) in kinds}
        yield from _compare(results, own, there, f"in {results}")


def _listed(metadata: Path) -> tuple[dict[str, str], set[str]]:
    """Hashes of all files of a bundle by their place, and the places of those that the study made."""
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


def _broken_tables(folder: Path, places: list[str]) -> Iterator[str]:
    """Tables whose rows break their schema or their own checksums."""
    for path in (folder / place for place in places if place.endswith(".parquet")):
        try:
            name = storage.provenance(path)["table"]
            for _ in storage.batches(schema_of(name), path):
                pass
        except TableError as error:
            yield str(error).replace(f"{folder}/", "").partition("\n")[0]
