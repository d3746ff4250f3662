"""Downloads that are complete, verified and atomic; errors name the expected and the received content.

Models come through the hub's own client (`memloc.data.hub`). Other files, and single members of remote
archives, come from here: with fsspec's own HTTP file, zipfile would mistake a lost connection for a damaged
archive. Every request has time-outs and is encrypted. Transient failures are tried again, final ones are not.
"""

import hashlib
import logging
import re
import shutil
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PureWindowsPath
from typing import TypeVar
from urllib.parse import urlsplit

import requests
from fsspec import AbstractFileSystem
from fsspec.implementations.dirfs import DirFileSystem
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.zip import ZipFileSystem
from fsspec.spec import AbstractBufferedFile

from memloc.run.atomic import atomic_path
from memloc.run.console import sized
from memloc.run.errors import UserError

TIMEOUT = (30, 60)  # seconds: to connect, and between two packets
WAITS = (1, 2, 4, 8, 16)  # seconds before each further try
CHUNK = 2**20
READ_AHEAD = 2**22

T = TypeVar("T")
logger = logging.getLogger(__name__)


class DownloadError(UserError, RuntimeError):
    """A download failed or does not match; the message names the address, what was expected and what came."""


class TransientError(DownloadError):
    """A failure that may pass: broken connection, time-out, overloaded server."""


def fetch_file(url: str, path: Path | str, *, sha256: str | None = None) -> Path:
    """Download `url` to `path`; `sha256` is verified where given.

    Raises:
        DownloadError: a failure or mismatch. `path` is untouched and no partial file is left.
    """
    with atomic_path(path) as temporary:
        _retried(lambda: _stream(url, temporary))
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

    `source` is the address of an archive, a local archive, or a local folder. A remote archive is read by
    range requests. Files are found by name, whatever folder of the source they lie in; that folder is not
    copied. The archive's own checksums are always verified, `sha256` (name -> checksum) where given.

    Raises:
        DownloadError: the source cannot be read, lacks a file or holds it twice, or a checksum differs.
    """
    folder, checksums = Path(folder), sha256 or {}
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with _open_source(str(source)) as files:
            members = {name: _find(files, name, source) for name in names}
            for name, member in members.items():
                with atomic_path(folder / name) as temporary:
                    with files.open(member, "rb") as stream, temporary.open("wb") as copy:
                        shutil.copyfileobj(stream, copy, CHUNK)
                    verify(f"{source}, {name}", temporary, checksums.get(name))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise DownloadError(f"{source}: expected an intact ZIP archive, got: {error}") from error
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


def _retried(attempt: Callable[[], T]) -> T:
    """Try again after transient errors: the first result, or the error of the last attempt."""
    for seconds in WAITS:
        try:
            return attempt()
        except TransientError as error:
            logger.warning("%s; trying again in %g s", error, seconds)
            time.sleep(seconds)
    return attempt()


@contextmanager
def _get(url: str, headers: Mapping[str, str]) -> Iterator[requests.Response]:
    """The open response. Failures, also while its body is read, become DownloadErrors."""
    require_encrypted(url)
    headers = {"Accept-Encoding": "identity", **headers}  # lengths and ranges then count the file's own bytes
    try:
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
            for hop in (*response.history, response):
                require_encrypted(hop.url)
            if response.status_code not in (200, 206):
                transient = response.status_code >= 500 or response.status_code in (408, 429)
                found = f"status {response.status_code} {response.reason}"
                raise (TransientError if transient else DownloadError)(
                    f"{url}: expected the file, got {found}"
                )
            yield response
    except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
        raise TransientError(f"{url}: expected the whole file, got a broken connection: {error}") from error
    except requests.RequestException as error:
        raise DownloadError(f"{url}: expected the file, got: {error}") from error


def _stream(url: str, file: Path) -> None:
    with _get(url, {}) as response, file.open("wb") as target:
        for chunk in response.iter_content(CHUNK):
            target.write(chunk)


@contextmanager
def _open_source(source: str) -> Iterator[AbstractFileSystem]:
    """The files of an archive or a folder."""
    if "://" in source:
        size = _retried(lambda: _size(source))
        with _RemoteFile(None, source, size=size, block_size=READ_AHEAD) as archive:
            yield ZipFileSystem(archive)
    elif Path(source).is_dir():
        yield DirFileSystem(source, LocalFileSystem())
    elif Path(source).is_file():
        yield ZipFileSystem(source)
    else:
        raise DownloadError(f"{source}: expected an address, a ZIP archive or a folder, got nothing there")


class _RemoteFile(AbstractBufferedFile):
    """A remote file that is read by range requests; fsspec adds position, read-ahead and file methods."""

    def _fetch_range(self, start: int, end: int) -> bytes:
        return _retried(lambda: _read_range(self.path, start, end))


def _read_range(url: str, start: int, end: int) -> bytes:
    with _get(url, {"Range": f"bytes={start}-{end - 1}"}) as response:
        status = response.status_code
        body = response.content if status == 206 else b""
    if len(body) != end - start:
        raise DownloadError(
            f"{url}: expected bytes {start} to {end - 1}, got {len(body)} bytes and status {status}"
        )
    return body


def _size(url: str) -> int:
    """Bytes of the remote file. DownloadError: its server does not answer range requests."""
    with _get(url, {"Range": "bytes=0-0"}) as response:
        total = re.search(r"/(\d+)$", response.headers.get("Content-Range", ""))
    if response.status_code != 206 or not total:
        raise DownloadError(
            f"{url}: its server cannot send parts of a file: fetch it whole, and name the file"
        )
    return int(total[1])


def _find(files: AbstractFileSystem, name: str, source: Path | str) -> str:
    # Archives hold either separator, and Windows paths accept both.
    members = [member for member in files.find("") if PureWindowsPath(member).name == name]
    if len(members) != 1:
        raise DownloadError(f"{source}: expected one file named {name}, got {len(members)}")
    return members[0]
