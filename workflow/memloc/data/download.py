"""Downloads that are complete, verified and atomic; errors name the expected and the received content.

Models come through the hub's own client (`memloc.data.hub`), other files from here. Every request has
time-outs and is encrypted.
"""

import hashlib
import shutil
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path, PureWindowsPath
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter, Retry

from memloc.run.atomic import atomic_path
from memloc.run.console import sized
from memloc.run.errors import UserError

TIMEOUT = (30, 60)  # seconds: to connect, and between two packets
# What may pass is tried again, after 1, 2, 4 and 8 seconds; a rule whose connection breaks off starts again.
RETRIES = Retry(5, backoff_factor=0.5, status_forcelist=(408, 429, 500, 502, 503, 504), raise_on_status=False)
CHUNK = 2**20


class DownloadError(UserError, RuntimeError):
    """A download failed or does not match; the message names the address, what was expected and what came."""


def fetch_file(url: str, path: Path | str, *, sha256: str | None = None) -> Path:
    """Download `url` to `path`; `sha256` is verified where given.

    Raises:
        DownloadError: a failure or mismatch. `path` is untouched and no partial file is left.
    """
    with atomic_path(path) as temporary:
        _stream(url, temporary)
        verify(url, temporary, sha256)
    return Path(path)


def fetch_members(
    source: Path | str,
    names: Sequence[str],
    folder: Path | str,
    *,
    sha256: Mapping[str, str | None] | None = None,
) -> list[Path]:
    """Copy the files `names` out of a ZIP archive, or a folder, to `folder / name`.

    `source` is the address of an archive, a local archive, or a local folder. Files are found by name,
    whatever folder of the source they lie in; that folder is not copied. The archive's own checksums are
    always verified, `sha256` (name -> checksum) where given.

    Raises:
        DownloadError: the source cannot be read, lacks a file or holds it twice, or a checksum differs.
    """
    folder, checksums = Path(folder), sha256 or {}
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder, prefix=".partial-") as beside:
        here = Path(fetch_file(source, f"{beside}/archive") if "://" in str(source) else source)
        if not here.exists():
            raise DownloadError(
                f"{source}: expected an address, a ZIP archive or a folder, got nothing there"
            )
        if here.is_file():
            here = _unpacked(here, names, Path(beside, "files"), source)
        members = {name: _find(here, name, source) for name in names}
        for name, member in members.items():
            with atomic_path(folder / name) as temporary:
                shutil.copyfile(member, temporary)
                verify(f"{source}, {name}", temporary, checksums.get(name))
    return [folder / name for name in names]


def verify(origin: str, file: Path, sha256: str | None) -> None:
    """Compare a file with its checksum, if there is one. DownloadError: they differ."""
    if sha256 is None:
        return
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if digest != sha256.lower():
        size = sized(file.stat().st_size)
        raise DownloadError(f"{origin}: expected sha256 {sha256}, got {digest} ({size})")


def require_encrypted(url: str) -> None:
    """Refuse an address without encryption, except on this machine. DownloadError: it is refused."""
    parts = urlsplit(url)
    if parts.scheme != "https" and (parts.scheme, parts.hostname) != ("http", "localhost"):
        raise DownloadError(f"{url}: expected https, got {parts.scheme}")


def _stream(url: str, file: Path) -> None:
    """Write what an address answers to a file. Failures, also while it is read, become DownloadErrors."""
    require_encrypted(url)
    headers = {"Accept-Encoding": "identity"}  # the length then counts the file's own bytes
    with requests.Session() as session, file.open("wb") as target:
        for scheme in ("https://", "http://"):
            session.mount(scheme, HTTPAdapter(max_retries=RETRIES))
        try:
            with session.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
                for hop in (*response.history, response):
                    require_encrypted(hop.url)
                response.raise_for_status()
                for chunk in response.iter_content(CHUNK):
                    target.write(chunk)
        except requests.RequestException as error:
            raise DownloadError(f"{url}: expected the whole file, got: {error}") from error


def _unpacked(archive: Path, names: Sequence[str], folder: Path, origin: Path | str) -> Path:
    """The files of these names of an archive, in a folder. DownloadError: the archive is damaged."""
    try:
        with zipfile.ZipFile(archive) as files:
            for member in files.namelist():
                if _name(member) in names:
                    files.extract(member, folder)  # which never leaves the folder
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise DownloadError(f"{origin}: expected an intact ZIP archive, got: {error}") from error
    return folder


def _find(folder: Path, name: str, origin: Path | str) -> Path:
    found = [path for path in folder.rglob("*") if path.is_file() and _name(path) == name]
    if len(found) != 1:
        raise DownloadError(f"{origin}: expected one file named {name}, got {len(found)}")
    return found[0]


def _name(path: Path | str) -> str:
    """Name of a file, whose path in an archive may have either separator."""
    return PureWindowsPath(path).name
