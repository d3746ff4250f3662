"""Real files, each once: of an installed package, or of a folder. They are read, never imported."""

import hashlib
import importlib.metadata
import importlib.util
import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from memloc.run.errors import InputError
from memloc.run.seeds import generator
from memloc.settings.data import CodeData

MEGABYTE = 1_000_000


class File(NamedTuple):
    """A file of text, by its path below the package or folder."""

    name: str
    text: str


class Corpus(NamedTuple):
    """Files in the order of the training, and files that the model never sees."""

    trained: list[File]
    held_out: list[File]


def root_of(data: CodeData) -> Path:
    """The folder that the patterns are relative to.

    Raises:
        InputError: no package of several files has this name; the folder does not exist.
    """
    if data.folder is not None:
        if not Path(data.folder).is_dir():
            raise InputError(f"data.folder: {data.folder}: no such folder; correct the path")
        return Path(data.folder)
    return package_folder(data.package, "data.package")


def package_folder(name: str, key: str) -> Path:
    """Folder of an installed package, which is not imported. InputError: no package in setting `key`."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise InputError(
            f"{key}: {name} is no installed package of several files: install it, or give the name "
            "that Python imports (sklearn, not scikit-learn), or another one"
        )
    return Path(spec.submodule_search_locations[0])


def matching(data: CodeData) -> list[Path]:
    """All files that fit a pattern and hold `data.containing`, in the order of their paths.

    Raises:
        InputError: there is none, or one is not UTF-8; names the setting.
    """
    root = root_of(data)
    files = sorted({file for each in data.patterns for file in root.glob(each) if file.is_file()})
    found = [file for file in files if (data.containing or "") in _read(file)]
    if not found:
        held, wanted = f" that hold {data.containing!r}" if files else "", data.patterns
        raise InputError(f"data.patterns: no files{held} in {root} fit {wanted}: correct patterns or folder")
    return found


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"data.patterns: {file}: not UTF-8 text ({error}); convert it") from None


def corpus(data: CodeData, seed: int) -> Corpus:
    """The files that are drawn, `data.megabytes` of them together, in the random order of the seed.

    The first files, `data.held_out` of their number, are held out.

    Raises:
        InputError: as for `matching`; the files hold less text, or no file is left to train on.
    """
    root, files = root_of(data), matching(data)
    sizes = [file.stat().st_size for file in files]
    order = generator(seed, "code", "files").permutation(len(files))
    together = np.cumsum(np.array(sizes)[order])
    if together[-1] < data.megabytes * MEGABYTE:
        raise InputError(
            f"data.megabytes: {data.megabytes:g} asked for, but the {len(files)} files hold "
            f"{together[-1] / MEGABYTE:.2f}: lower it, or have data.patterns fit more files"
        )
    n_files = int(np.searchsorted(together, data.megabytes * MEGABYTE)) + 1
    n_held_out = round(data.held_out * n_files) or int(data.held_out > 0)
    if n_held_out >= n_files:
        raise InputError(
            f"data.held_out: all {n_files} files would be held out: lower it, or raise data.megabytes"
        )
    chosen = [File(str(files[row].relative_to(root)), _read(files[row])) for row in order[:n_files]]
    return Corpus(chosen[n_held_out:], chosen[:n_held_out])


def description(data: CodeData, drawn: Corpus) -> dict[str, Any]:
    """Where the text comes from: package, version, licence, author, or folder; and a hash of every file."""
    hashes = {file.name: hashlib.sha256(file.text.encode()).hexdigest() for file in sorted(sum(drawn, []))}
    origin = {"folder": data.folder} if data.folder is not None else package_of(data.package)
    return {**origin, "held_out": sorted(file.name for file in drawn.held_out), "files": hashes}


def package_of(name: str) -> dict[str, str | None]:
    """Name, version, licence and author of an installed package, as it states them."""
    stated = distribution(name, "data.package").metadata
    return {
        "package": stated["Name"],
        "version": stated["Version"],
        "licence": stated.get("License-Expression") or stated.get("License"),
        "author": stated.get("Author") or stated.get("Author-email"),
    }


def distribution(package: str, key: str) -> importlib.metadata.Distribution:
    """What an installed package comes from; its name may be another one: scikit-learn holds `sklearn`.

    InputError: the package in setting `key` is not installed.
    """
    try:
        return importlib.metadata.distribution(package)
    except importlib.metadata.PackageNotFoundError:  # the list of all names takes half a second
        if names := importlib.metadata.packages_distributions().get(package):
            return importlib.metadata.distribution(names[0])
        raise InputError(f"{key}: {package} is not installed: install it, or name other packages") from None


def versions(packages: list[str], key: str) -> dict[str, str]:
    """Versions of the installed packages of setting `key`. InputError: one is not installed."""
    return {package: distribution(package, key).version for package in packages}


def unlike_locked(package: str, lock: Path) -> str | None:
    """A sentence, if the installed package has another version than the file of locked versions names."""
    own = distribution(package, "data.package")
    found = re.search(rf"(?mi)^{re.escape(own.name)}==(\S+)", lock.read_text() if lock.is_file() else "")
    if found is None or found[1] == own.version:
        return None
    return f"The text is {own.name} {own.version}; with {found[1]}, the locked version, its numbers differ."


def told(described: dict[str, Any]) -> str:
    """What a model was trained on, in a phrase, by its `description`."""
    names = [
        f"{described['package']} {described['version']}" if "package" in described else described["folder"]
    ]
    stated = [*names, described.get("licence"), described.get("author")]
    n_trained = len(described["files"]) - len(described["held_out"])
    return ", ".join([*filter(None, stated), f"{n_trained} files (hashes in text.json)"])
