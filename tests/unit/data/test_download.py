"""Downloads from a real server that drops, fails, lies or lacks ranges: whole and verified, or nothing."""

import hashlib
import io
import random
import socket
import zipfile
from threading import Timer

import pytest

from http_server import FileServer
from memloc.data.download import DownloadError, fetch_file, fetch_members

CONTENT = random.Random(0).randbytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MEMBERS = {
    "prompts_100.npy": random.Random(1).randbytes(90_000),
    "counts_100.npy": random.Random(2).randbytes(20_000),
}
STORED, DEFLATED = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
pytestmark = pytest.mark.usefixtures("small_chunks")


def listing(folder):
    return sorted(path.name for path in folder.iterdir())


def fetched(server, path, **known):
    return fetch_file(f"{server.url}/a.bin", path / "a.bin", **known)


def elsewhere(server):
    """An address of the file that is not known to be on this machine."""
    return f"{server.url}/a.bin".replace("localhost", "127.0.0.1")


def test_a_file_arrives_verified(server, tmp_path):
    server.files["/a.bin"] = CONTENT
    path = fetched(server, tmp_path / "new", sha256=SHA256.upper())  # as some programs print it
    assert path.read_bytes() == CONTENT
    assert server.requests[0][1]["Accept-Encoding"] == "identity", "bytes are counted as they are"
    assert listing(path.parent) == ["a.bin"]


@pytest.mark.parametrize(
    ("errors", "tries", "message"),
    [
        ([408, 429, 503], 4, None),
        ([500] * 4, 4, "500 Server Error"),
        ([403], 1, "403 Client Error"),
        ([404], 1, "404 Client Error"),
    ],
)
def test_what_may_pass_is_tried_again_until_patience_ends(server, tmp_path, waits, errors, tries, message):
    server.files["/a.bin"], server.errors = CONTENT, errors
    if message:
        with pytest.raises(
            DownloadError, match=f"^{server.url}/a.bin: expected the whole file, got: {message}"
        ):
            fetched(server, tmp_path)
        assert listing(tmp_path) == []
    else:
        assert fetched(server, tmp_path).read_bytes() == CONTENT
    assert len(server.requests) == tries and waits == [1, 2][: max(tries - 2, 0)]


def test_a_connection_that_breaks_off_leaves_nothing_and_the_rule_is_tried_again(server, tmp_path):
    server.files["/a.bin"], server.drops = CONTENT, 1
    with pytest.raises(DownloadError, match="expected the whole file, got: .*IncompleteRead"):
        fetched(server, tmp_path)
    assert listing(tmp_path) == []
    assert fetched(server, tmp_path).read_bytes() == CONTENT


def test_a_server_that_is_absent_or_says_nothing_is_told(tmp_path, waits, monkeypatch):
    with socket.socket() as absent:
        absent.bind(("localhost", 0))  # and does not listen
        with pytest.raises(DownloadError, match="Connection refused"):
            fetch_file(f"http://localhost:{absent.getsockname()[1]}/a", tmp_path / "a")
    monkeypatch.setattr("memloc.data.download.TIMEOUT", (0.1, 0.1))
    with socket.create_server(("localhost", 0)) as silent:
        breaks_off = Timer(600, silent.close)  # so that a test without time-outs ends
        breaks_off.start()
        with pytest.raises(DownloadError, match="timed out"):
            fetch_file(f"http://localhost:{silent.getsockname()[1]}/a", tmp_path / "a")
        breaks_off.cancel()
    assert waits == [1, 2] * 2


def test_a_wrong_file_is_refused_and_the_old_one_stays(server, tmp_path):
    server.files["/a.bin"] = b"wrong"
    (tmp_path / "a.bin").write_bytes(b"old")
    found = hashlib.sha256(b"wrong").hexdigest()
    with pytest.raises(DownloadError, match=rf"/a\.bin: expected sha256 {SHA256}, got {found} \(5 bytes\)"):
        fetched(server, tmp_path, sha256=SHA256)
    assert (tmp_path / "a.bin").read_bytes() == b"old"
    assert listing(tmp_path) == ["a.bin"]


def test_an_address_without_encryption_is_refused_before_any_request(server, tmp_path):
    server.files["/a.bin"] = CONTENT
    with pytest.raises(DownloadError, match="expected https"):
        fetch_file(elsewhere(server), tmp_path / "a.bin")
    assert server.requests == []


@pytest.mark.parametrize("and_back", [False, True])
def test_a_redirect_to_an_address_without_encryption_is_refused(tls, server, tmp_path, and_back):
    server.files["/a.bin"] = CONTENT
    redirects, files = {"/a.bin": elsewhere(server)}, {"/b.bin": CONTENT}
    with FileServer(files=files, redirects=redirects, tls=tls) as encrypted:
        if and_back:
            server.redirects["/a.bin"] = f"{encrypted.url}/b.bin"
        with pytest.raises(DownloadError, match="expected https"):
            fetch_file(f"{encrypted.url}/a.bin", tmp_path / "a.bin")
    assert listing(tmp_path) == []


def archive(members, compression=DEFLATED):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return content.getvalue()


def big_archive(compression=DEFLATED):
    """Two wanted members between others that nobody needs; the folder inside is arbitrary."""
    filler = {f"pile/prompts_{n}.npy": random.Random(n).randbytes(20_000) for n in (150, 200)}
    first, last = filler
    wanted = {f"pile/{name}": data for name, data in MEMBERS.items()}
    return archive({first: filler[first], **wanted, last: filler[last]}, compression)


def members(source, folder, names=tuple(MEMBERS), **known):
    paths = fetch_members(source, names, folder, **known)
    assert [path.name for path in paths] == list(names) and sorted(names) == listing(folder)
    return {path.name: path.read_bytes() for path in paths}


@pytest.mark.parametrize("compression", [STORED, DEFLATED])
def test_members_of_a_remote_archive_arrive_and_nothing_else_stays(server, tmp_path, waits, compression):
    server.files["/data.zip"], server.errors = big_archive(compression), [503]
    assert members(f"{server.url}/data.zip", tmp_path / "out") == MEMBERS


def test_a_local_archive_and_a_local_folder_serve_as_well(tmp_path):
    (tmp_path / "data.zip").write_bytes(big_archive())
    assert members(tmp_path / "data.zip", tmp_path / "from_archive") == MEMBERS
    with zipfile.ZipFile(tmp_path / "data.zip") as file:
        file.extractall(tmp_path / "folder")
    assert members(tmp_path / "folder", tmp_path / "from_folder") == MEMBERS


@pytest.mark.parametrize("evil", ["../../x/counts.npy", "..\\..\\x\\counts.npy", "a/../../counts.npy"])
def test_a_member_with_an_evil_path_stays_inside(tmp_path, evil):
    inside = tmp_path / "a" / "b" / "out"
    (tmp_path / "data.zip").write_bytes(archive({evil: b"data"}))
    assert members(tmp_path / "data.zip", inside, ["counts.npy"]) == {"counts.npy": b"data"}
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(files) == [inside / "counts.npy", tmp_path / "data.zip"]


@pytest.mark.parametrize("compression", [STORED, DEFLATED])
def test_a_damaged_member_is_refused(server, tmp_path, compression):
    content = bytearray(archive({"prompts_100.npy": MEMBERS["prompts_100.npy"]}, compression))
    content[5000] ^= 0xFF
    server.files["/data.zip"] = bytes(content)
    with pytest.raises(DownloadError, match=r"/data\.zip: expected an intact ZIP archive"):
        members(f"{server.url}/data.zip", tmp_path / "out", ["prompts_100.npy"])
    assert listing(tmp_path / "out") == []


def test_a_source_that_is_not_the_right_one_is_refused(server, tmp_path):
    server.files |= {"/page.zip": b"<html>log in</html>", "/data.zip": archive(MEMBERS)}
    twice = {"a/counts_100.npy": b"1", "b/counts_100.npy": b"2"}
    (tmp_path / "twice.zip").write_bytes(archive(twice))
    refused = {
        f"{server.url}/page.zip": r"/page\.zip: expected an intact ZIP archive, got",
        f"{server.url}/gone.zip": "404",
        f"{server.url}/data.zip": r"/data\.zip, counts_100\.npy: expected sha256 0+, got",
        tmp_path / "gone.zip": "nothing there",
        tmp_path / "twice.zip": r"twice\.zip: expected one file named counts_100\.npy, got 2",
    }
    for source, message in refused.items():
        with pytest.raises(DownloadError, match=message):
            members(source, tmp_path / "out", ["counts_100.npy"], sha256={"counts_100.npy": "0" * 64})
        assert listing(tmp_path / "out") == []
