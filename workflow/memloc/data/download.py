"""Downloads that are complete, verified and atomic; errors say what was expected and what arrived.

Every request goes through `_get`: encrypted unless allowed otherwise, with time-outs, with proxies and
certificates as `requests` finds them, and with failures sorted into transient ones, worth another try, and
final ones. The hub's own client is not used: it needs the hub's programming interface, which a plain mirror
lacks, sends tokens also without encryption and does not try again when a file's server reports an error.
"""

import hashlib
import json
import logging
import os
import re
import shutil
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from tempfile import TemporaryDirectory
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import requests
from fsspec import AbstractFileSystem
from fsspec.implementations.dirfs import DirFileSystem
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.zip import ZipFileSystem
from fsspec.spec import AbstractBufferedFile
from tqdm import tqdm

from memloc.model.folder import COMMIT
from memloc.run.atomic import atomic_folder, atomic_path
from memloc.run.errors import UserError

WEIGHTS = "model.safetensors"
COMMIT_HASH = re.compile(r"[0-9a-f]{40}")
TOKENIZERS = (("tokenizer.json",), ("vocab.json", "merges.txt"))
OPTIONAL_FILES = (
    *TOKENIZERS[0],
    *TOKENIZERS[1],
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "generation_config.json",
)
TIMEOUT = (30, 60)  # seconds: to connect, and between two packets
CHUNK = 2**20
READ_AHEAD = 2**22
BAR = {
    "unit": "B",
    "unit_scale": True,
    "disable": None,
}  # progress on a terminal's standard error, none in a log

T = TypeVar("T")
logger = logging.getLogger(__name__)


class DownloadError(UserError, RuntimeError):
    """A download failed or does not match; the message gives address, expectation and finding."""


class TransientError(DownloadError):
    """A failure that may pass: broken connection, time-out, overloaded server."""


class MissingFileError(DownloadError):
    """The server does not have the file (404)."""


@dataclass(frozen=True)
class Retry:
    """Further tries after transient failures; the wait before each is twice the one before."""

    retries: int = 5
    backoff: float = 1.0  # seconds before the first further try
    sleep: Callable[[float], None] = time.sleep

    def run(self, attempt: Callable[[], T]) -> T:
        """The result of the first successful attempt, or the error of the last one."""
        for number in range(self.retries):
            try:
                return attempt()
            except TransientError as error:
                wait = self.backoff * 2**number
                logger.warning("%s; trying again in %g s", error, wait)
                self.sleep(wait)
        return attempt()


def fetch_file(
    url: str,
    path: Path | str,
    *,
    size: int | None = None,
    sha256: str | None = None,
    headers: Mapping[str, str] | None = None,
    allow_http: bool = False,
    retry: Retry = Retry(),
) -> Path:
    """Download `url` to `path`; `size` (bytes) and `sha256` are verified where given.

    After a broken connection the transfer goes on where it stopped if `sha256` is there to prove that the
    parts fit, else it starts anew.

    Raises:
        MissingFileError: the server answers 404.
        DownloadError: any other failure or mismatch. `path` is untouched and no partial file is left.
    """
    resume = sha256 is not None
    with atomic_path(path) as temporary:
        retry.run(lambda: _stream(url, temporary, dict(headers or {}), resume, allow_http))
        verify(url, temporary, size, sha256)
    return Path(path)


def fetch_members(
    source: Path | str,
    names: Sequence[str],
    folder: Path | str,
    *,
    sha256: Mapping[str, str | None] | None = None,
    allow_http: bool = False,
    retry: Retry = Retry(),
    read_ahead: int = READ_AHEAD,
) -> list[Path]:
    """Copy the files `names` out of a ZIP archive, or a folder, to `folder / name`.

    `source` is the address of an archive, a local archive, or a local folder. A remote archive is read by
    range requests, each `read_ahead` bytes longer than needed next, and downloaded whole only if its server
    has no ranges. Files are found by name, in whatever folder they lie inside the source; that path is never
    written to. The archive's own checksums are always verified, `sha256` (name -> checksum) where given.

    Raises:
        DownloadError: the source cannot be read, lacks a file or holds it twice, or a checksum differs.
    """
    folder, checksums = Path(folder), sha256 or {}
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / PureWindowsPath(name).name for name in names]
    remote = {"allow_http": allow_http, "retry": retry}
    try:
        with _open_source(str(source), folder, read_ahead, remote) as files:
            members = [_find(files, path.name, source) for path in paths]
            for member, path in zip(members, paths, strict=True):
                with atomic_path(path) as temporary:
                    _copy(files, member, temporary)
                    verify(f"{source}, {path.name}", temporary, None, checksums.get(path.name))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise DownloadError(f"{source}: expected an intact ZIP archive, got: {error}") from error
    return paths


def hub_url(model_id: str, revision: str, file: str, endpoint: str) -> str:
    """Address of one file of a model at a revision, on the hub or a mirror with the same layout."""
    return f"{endpoint.rstrip('/')}/{quote(model_id)}/resolve/{quote(revision, safe='')}/{quote(file)}"


def fetch_model(
    model_id: str,
    revision: str,
    folder: Path | str,
    *,
    endpoint: str,
    sha256: str | None = None,
    allow_http: bool = False,
    weights: bool = True,
    retry: Retry = Retry(),
) -> Path:
    """Download configuration, tokenizer and safetensors weights of a causal language model to `folder`.

    `sha256` belongs to model.safetensors; without it the weights may also be a sharded set. Pickled weights
    are never fetched. The environment variable HF_TOKEN, if set, is sent to the endpoint only, and only
    encrypted. `folder` appears, or is replaced, when everything is there. Of a branch or tag, all files come
    from the one commit that it stands for, which the file `COMMIT` names, where the server tells it.

    Raises:
        DownloadError: a file fails or does not match, or the model lacks a tokenizer or safetensors weights.
    """
    headers = _authorization(endpoint)
    common = {"headers": headers, "allow_http": allow_http, "retry": retry}
    with atomic_folder(folder) as temporary:
        if not COMMIT_HASH.fullmatch(revision):
            address = hub_url(model_id, revision, "config.json", endpoint)
            commit = retry.run(lambda: _commit(address, headers, allow_http))
            if commit:
                (temporary / COMMIT).write_text(f"{commit}\n")
            revision = commit or revision

        def fetch(file: str, **known: Any) -> Path:
            return fetch_file(
                hub_url(model_id, revision, file, endpoint), temporary / file, **known, **common
            )

        fetch("config.json")
        for file in OPTIONAL_FILES:
            with suppress(MissingFileError):
                fetch(file)
        if not any(all((temporary / file).exists() for file in files) for files in TOKENIZERS):
            raise DownloadError(
                f"{model_id}: expected tokenizer.json or vocab.json and merges.txt, got neither"
            )
        if weights:
            _fetch_weights(fetch, sha256)
    return Path(folder)


def _commit(url: str, headers: Mapping[str, str], allow_http: bool) -> str | None:
    """Commit that a file of a branch or tag comes from, as the hub says it (also where it redirects)."""
    with _get(url, headers, allow_http) as response:
        named = (answer.headers.get("X-Repo-Commit", "") for answer in (*response.history, response))
        return next(filter(COMMIT_HASH.fullmatch, named), None)


@contextmanager
def _get(url: str, headers: Mapping[str, str], allow_http: bool) -> Iterator[requests.Response]:
    """The open response; failures become DownloadErrors, also while its body is read."""
    _require_scheme(url, allow_http)
    headers = {"Accept-Encoding": "identity", **headers}  # lengths and ranges then count the file's own bytes
    try:
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
            for hop in (*response.history, response):
                _require_scheme(hop.url, allow_http)
            _require_success(url, response)
            yield response
    except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
        raise TransientError(f"{url}: expected the whole file, got a broken connection: {error}") from error
    except requests.RequestException as error:
        raise DownloadError(f"{url}: expected the file, got: {error}") from error


def _require_scheme(url: str, allow_http: bool) -> None:
    scheme = urlsplit(url).scheme
    if scheme != "https" and not (allow_http and scheme == "http"):
        expected = "https or http" if allow_http else "https (http only where network.allow_http is set)"
        raise DownloadError(f"{url}: expected {expected}, got {scheme}")


def _require_success(url: str, response: requests.Response) -> None:
    status = response.status_code
    if status in (200, 206):
        return
    transient = status >= 500 or status in (408, 429)
    kind = MissingFileError if status == 404 else TransientError if transient else DownloadError
    raise kind(f"{url}: expected the file, got status {status} {response.reason}")


def _stream(url: str, file: Path, headers: dict[str, str], resume: bool, allow_http: bool) -> None:
    """Write the body to `file`, or the rest of it behind the part that is already there."""
    have = file.stat().st_size if resume and file.exists() else 0
    if have:
        headers["Range"] = f"bytes={have}-"
    with _get(url, headers, allow_http) as response:
        have = have if response.status_code == 206 else 0
        length = response.headers.get("Content-Length")
        total = have + int(length) if length else None
        with (
            file.open("ab" if have else "wb") as target,
            tqdm(total=total, initial=have, desc=Path(urlsplit(url).path).name, **BAR) as bar,
        ):
            for chunk in response.iter_content(CHUNK):
                target.write(chunk)
                bar.update(len(chunk))


def verify(origin: str, file: Path, size: int | None, sha256: str | None) -> None:
    """Check the size and checksum of a file where they are given. DownloadError: it is another file."""
    found = file.stat().st_size
    if size is not None and found != size:
        raise DownloadError(f"{origin}: expected {size} bytes, got {found}")
    if sha256 is None:
        return
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if digest != sha256.lower():
        raise DownloadError(f"{origin}: expected sha256 {sha256}, got {digest} ({found} bytes)")


@contextmanager
def _open_source(
    source: str, folder: Path, read_ahead: int, remote: dict[str, Any]
) -> Iterator[AbstractFileSystem]:
    """The files of an archive or a folder; an archive that has to come whole lies in `folder` meanwhile."""
    if "://" in source:
        size = remote["retry"].run(lambda: _size_if_ranged(source, remote["allow_http"]))
        if size is not None:
            with _RemoteFile(None, source, size=size, block_size=read_ahead, **remote) as archive:
                yield ZipFileSystem(archive)
        else:
            with TemporaryDirectory(dir=folder, prefix=".partial-") as whole:
                path = fetch_file(source, Path(whole) / "archive.zip", **remote)
                with path.open("rb") as archive:
                    yield ZipFileSystem(archive)
    elif Path(source).is_dir():
        yield DirFileSystem(source, LocalFileSystem())
    elif Path(source).is_file():
        with open(source, "rb") as archive:
            yield ZipFileSystem(archive)
    else:
        raise DownloadError(f"{source}: expected an address, a ZIP archive or a folder, got nothing there")


class _RemoteFile(AbstractBufferedFile):
    """A remote file that is read by range requests; fsspec adds position, read-ahead and file methods.

    fsspec's own HTTP file would not do: zipfile mistakes its connection errors for a damaged archive.
    """

    def _fetch_range(self, start: int, end: int) -> bytes:
        return self.kwargs["retry"].run(lambda: _read_range(self.path, start, end, self.kwargs["allow_http"]))


def _read_range(url: str, start: int, end: int, allow_http: bool) -> bytes:
    with _get(url, {"Range": f"bytes={start}-{end - 1}"}, allow_http) as response:
        status = response.status_code
        body = response.content if status == 206 else b""
    if len(body) != end - start:
        raise DownloadError(
            f"{url}: expected bytes {start} to {end - 1}, got {len(body)} bytes and status {status}"
        )
    return body


def _size_if_ranged(url: str, allow_http: bool) -> int | None:
    """Bytes of the remote file; None if its server does not answer range requests."""
    with _get(url, {"Range": "bytes=0-0"}, allow_http) as response:
        total = re.search(r"/(\d+)$", response.headers.get("Content-Range", ""))
        return int(total[1]) if response.status_code == 206 and total else None


def _find(files: AbstractFileSystem, name: str, source: Path | str) -> str:
    # Archives hold either separator, and Windows paths accept both.
    members = [member for member in files.find("") if PureWindowsPath(member).name == name]
    if len(members) != 1:
        raise DownloadError(f"{source}: expected one file named {name}, got {len(members)}")
    return members[0]


def _copy(files: AbstractFileSystem, member: str, target: Path) -> None:
    size = files.size(member)
    with (
        files.open(member, "rb") as stream,
        tqdm.wrapattr(stream, "read", total=size, desc=PureWindowsPath(member).name, **BAR) as source,
        target.open("wb") as copy,
    ):
        shutil.copyfileobj(source, copy, CHUNK)


def _authorization(endpoint: str) -> dict[str, str]:
    """Header with the hub token; `requests` drops it when a redirect leads to another host."""
    token = os.environ.get("HF_TOKEN")
    return {"Authorization": f"Bearer {token}"} if token and urlsplit(endpoint).scheme == "https" else {}


def _fetch_weights(fetch: Callable[..., Path], sha256: str | None) -> None:
    """Fetch model.safetensors or, unless a checksum pins that file, the shards of an index."""
    try:
        fetch(WEIGHTS, sha256=sha256)
    except MissingFileError:
        if sha256:
            raise
        index = fetch(f"{WEIGHTS}.index.json")
        for shard in sorted(set(json.loads(index.read_text())["weight_map"].values())):
            if not re.fullmatch(r"[\w-][\w.-]*\.safetensors", shard):
                raise DownloadError(
                    f"{index.name}: expected names of safetensors files, got {shard!r}"
                ) from None
            fetch(shard)
