"""Downloads from a real server that drops, fails, lies or lacks ranges: whole and verified, or nothing.

Members of an archive: test_download_members.py; models: test_download_model.py.
"""

import socket
from threading import Timer

import pytest
from made_downloads import CONTENT, listing, sha256

from http_server import FileServer
from memloc.data.download import DownloadError, MissingFileError, Retry, TransientError, fetch_file

pytestmark = pytest.mark.usefixtures("small_chunks")


def test_file_arrives_verified(server, tmp_path, local):
    server.files["/a.bin"] = CONTENT
    known = {"size": 300_000, "sha256": sha256(CONTENT).upper()}  # as some programs print it
    path = fetch_file(f"{server.url}/a.bin", tmp_path / "new" / "a.bin", **known, **local)
    assert path.read_bytes() == CONTENT
    assert server.requests[0][1]["Accept-Encoding"] == "identity", "bytes are counted as they are"
    assert listing(path.parent) == ["a.bin"]


@pytest.mark.parametrize("checksum", [None, sha256(CONTENT)])
def test_broken_connection_is_tried_again_after_growing_waits(server, tmp_path, local, clock, checksum):
    server.files["/a.bin"], server.drops = CONTENT, 3
    path = fetch_file(f"{server.url}/a.bin", tmp_path / "a.bin", sha256=checksum, **local)
    assert path.read_bytes() == CONTENT
    assert clock.waits == [1.0, 2.0, 4.0]


def test_verified_transfer_goes_on_where_it_stopped(server, tmp_path, local):
    server.files["/a.bin"], server.drops = CONTENT, 2
    fetch_file(f"{server.url}/a.bin", tmp_path / "a.bin", sha256=sha256(CONTENT), **local)
    assert [headers.get("Range") for _, headers in server.requests] == [
        None,
        "bytes=150000-",
        "bytes=225000-",
    ]
    assert server.bytes_sent == len(CONTENT)


def test_transfer_without_a_checksum_never_mixes_two_versions(server, tmp_path):
    """Nothing could tell that the parts belong together, so none is asked for."""
    old, new = b"old " * 50_000, b"new " * 50_000
    server.files["/a.bin"], server.drops = old, 1

    def replaced(_seconds):
        server.files["/a.bin"] = new

    retry = Retry(retries=1, sleep=replaced)
    path = fetch_file(f"{server.url}/a.bin", tmp_path / "a.bin", allow_http=True, retry=retry)
    assert path.read_bytes() == new
    assert [headers.get("Range") for _, headers in server.requests] == [None, None]


def test_parts_of_two_versions_are_refused_by_the_checksum(server, tmp_path):
    old, new = b"old " * 50_000, b"new " * 50_000
    server.files["/a.bin"], server.drops = old, 1
    retry = Retry(retries=1, sleep=lambda _seconds: server.files.update({"/a.bin": new}))
    with pytest.raises(DownloadError, match="expected sha256"):
        fetch_file(
            f"{server.url}/a.bin", tmp_path / "a.bin", sha256=sha256(new), allow_http=True, retry=retry
        )
    assert listing(tmp_path) == []


def test_transfer_starts_anew_where_the_server_has_no_ranges(server, tmp_path, local):
    server.files["/a.bin"], server.drops, server.ranges = CONTENT, 1, False
    path = fetch_file(f"{server.url}/a.bin", tmp_path / "a.bin", sha256=sha256(CONTENT), **local)
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_overloaded_server_is_tried_again(server, tmp_path, local, clock, status):
    server.files["/a.bin"], server.errors = CONTENT, [status, status]
    fetch_file(f"{server.url}/a.bin", tmp_path / "a.bin", **local)
    assert clock.waits == [1.0, 2.0]


def test_patience_ends(server, tmp_path, local, clock):
    server.files["/a.bin"], server.drops = CONTENT, 4
    with pytest.raises(DownloadError, match=r"/a\.bin: expected the whole file, got a broken connection"):
        fetch_file(f"{server.url}/a.bin", tmp_path / "a.bin", **local)
    assert len(server.requests) == 4
    assert listing(tmp_path) == []


def test_by_itself_patience_lasts_half_a_minute(clock):
    def busy():
        raise TransientError("busy")

    with pytest.raises(TransientError, match="busy"):
        Retry(sleep=clock).run(busy)
    assert clock.waits == [1, 2, 4, 8, 16]


def test_missing_file_is_not_tried_again(server, tmp_path, local, clock):
    with pytest.raises(MissingFileError, match=r"/gone: expected the file, got status 404"):
        fetch_file(f"{server.url}/gone", tmp_path / "gone", **local)
    assert len(server.requests) == 1 and clock.waits == []


def test_forbidden_file_is_not_tried_again(server, tmp_path, local):
    server.files["/a.bin"], server.errors = CONTENT, [403]
    with pytest.raises(DownloadError, match="got status 403"):
        fetch_file(f"{server.url}/a.bin", tmp_path / "a.bin", **local)
    assert len(server.requests) == 1


def test_absent_server_is_a_broken_connection(tmp_path, local, clock):
    with FileServer() as stopped:
        address = f"{stopped.url}/a.bin"
    with pytest.raises(DownloadError, match="broken connection"):
        fetch_file(address, tmp_path / "a.bin", **local)
    assert len(clock.waits) == 3


def test_a_server_that_says_nothing_is_given_up_and_tried_again(tmp_path, clock, monkeypatch):
    monkeypatch.setattr("memloc.data.download.TIMEOUT", (0.1, 0.1))
    with socket.create_server(("localhost", 0)) as silent:
        breaks_off = Timer(2, silent.close)  # so that a test without time-outs ends
        breaks_off.start()
        address = f"http://localhost:{silent.getsockname()[1]}/a.bin"
        with pytest.raises(TransientError, match="timed out"):
            fetch_file(address, tmp_path / "a", allow_http=True, retry=Retry(retries=1, sleep=clock))
        breaks_off.cancel()
    assert clock.waits == [1.0]


@pytest.mark.parametrize(
    ("known", "message"),
    [
        ({"size": 300_000}, r"/a\.bin: expected 300000 bytes, got 5"),
        ({"size": 3}, r"/a\.bin: expected 3 bytes, got 5"),
        (
            {"sha256": sha256(CONTENT)},
            rf"/a\.bin: expected sha256 {sha256(CONTENT)}, got {sha256(b'wrong')} \(5 bytes\)",
        ),
    ],
)
def test_wrong_file_is_refused_and_the_old_one_stays(server, tmp_path, local, known, message):
    server.files["/a.bin"] = b"wrong"
    (tmp_path / "a.bin").write_bytes(b"old")
    with pytest.raises(DownloadError, match=message):
        fetch_file(f"{server.url}/a.bin", tmp_path / "a.bin", **known, **local)
    assert (tmp_path / "a.bin").read_bytes() == b"old"
    assert listing(tmp_path) == ["a.bin"]


def test_address_without_encryption_is_refused_before_any_request(server, tmp_path):
    server.files["/a.bin"] = CONTENT
    with pytest.raises(DownloadError, match="expected https"):
        fetch_file(f"{server.url}/a.bin", tmp_path / "a.bin")
    assert server.requests == []


@pytest.mark.parametrize("and_back", [False, True])
def test_redirect_to_an_address_without_encryption_is_refused(tls, server, tmp_path, and_back):
    server.files["/a.bin"] = CONTENT
    redirects, files = {"/a.bin": f"{server.url}/a.bin"}, {"/b.bin": CONTENT}
    with FileServer(files=files, redirects=redirects, tls=tls) as encrypted:
        if and_back:
            server.redirects["/a.bin"] = f"{encrypted.url}/b.bin"
        with pytest.raises(DownloadError, match="expected https"):
            fetch_file(f"{encrypted.url}/a.bin", tmp_path / "a.bin")
    assert listing(tmp_path) == []
