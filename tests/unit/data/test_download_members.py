"""Members of an archive at a server that drops, lies or lacks ranges, or on this machine."""

import io
import random
import zipfile

import pytest
from made_downloads import listing

from memloc.data.download import DownloadError, MissingFileError, Retry, fetch_members

NAMES = ["prompts_100.npy", "counts_100.npy"]
MEMBERS = {
    "prompts_100.npy": random.Random(1).randbytes(90_000),
    "counts_100.npy": random.Random(2).randbytes(20_000),
}
pytestmark = pytest.mark.usefixtures("small_chunks")


def archive(members, compression=zipfile.ZIP_DEFLATED):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return content.getvalue()


def big_archive():
    """Two wanted members between 4 MB that nobody needs; the folder inside is arbitrary."""
    filler = {f"pile/prompts_{n}.npy": random.Random(n).randbytes(2_000_000) for n in (150, 200)}
    first, last = filler
    wanted = {f"pile/{name}": data for name, data in MEMBERS.items()}
    return archive({first: filler[first], **wanted, last: filler[last]})


def check_members(folder):
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == MEMBERS


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_of_a_remote_archive(server, tmp_path, local, compression):
    server.files["/data.zip"] = archive(
        {f"deep/er/{name}": data for name, data in MEMBERS.items()}, compression
    )
    paths = fetch_members(f"{server.url}/data.zip", NAMES, tmp_path / "out", **local)
    assert [path.name for path in paths] == NAMES
    check_members(tmp_path / "out")


def test_only_the_members_and_the_directory_are_read(server, tmp_path, local):
    server.files["/data.zip"] = big_archive()
    fetch_members(f"{server.url}/data.zip", NAMES, tmp_path / "out", read_ahead=8192, **local)
    check_members(tmp_path / "out")
    needed = sum(map(len, MEMBERS.values()))
    assert len(server.files["/data.zip"]) > 4_000_000
    assert needed < server.bytes_sent < needed + 50_000
    assert all("Range" in headers for _, headers in server.requests)


def test_server_without_ranges_sends_the_whole_archive_and_none_of_it_stays(server, tmp_path, local):
    server.files["/data.zip"], server.ranges = big_archive(), False
    fetch_members(f"{server.url}/data.zip", NAMES, tmp_path / "out", **local)
    check_members(tmp_path / "out")


@pytest.mark.parametrize("ranges", [True, False])
def test_broken_connections_while_members_are_read(server, tmp_path, local, ranges):
    server.files["/data.zip"], server.ranges, server.drops = big_archive(), ranges, 3
    server.errors = [503]  # when its size is asked for
    fetch_members(f"{server.url}/data.zip", NAMES, tmp_path / "out", **local)
    check_members(tmp_path / "out")


def test_server_that_stays_broken_is_not_called_a_damaged_archive(server, tmp_path, local):
    server.files["/data.zip"], server.drops = big_archive(), 1000
    with pytest.raises(DownloadError, match=r"/data\.zip: expected the whole file, got a broken connection"):
        fetch_members(f"{server.url}/data.zip", NAMES, tmp_path / "out", **local)
    assert listing(tmp_path / "out") == []


def test_an_archive_that_is_replaced_by_a_shorter_one_is_not_called_a_damaged_one(server, tmp_path):
    server.files["/data.zip"], server.drops = archive(MEMBERS), 2  # its size comes, the directory does not
    shorter = {"/data.zip": server.files["/data.zip"][:-10]}
    retry = Retry(retries=1, sleep=lambda _seconds: server.files.update(shorter))
    with pytest.raises(DownloadError, match=r"expected bytes \d+ to \d+, got \d+ bytes and status 206"):
        fetch_members(f"{server.url}/data.zip", NAMES, tmp_path, allow_http=True, retry=retry)


def test_local_archive_and_local_folder_serve_as_well(tmp_path):
    (tmp_path / "data.zip").write_bytes(archive({f"pile/{name}": data for name, data in MEMBERS.items()}))
    fetch_members(tmp_path / "data.zip", NAMES, tmp_path / "from_archive")
    check_members(tmp_path / "from_archive")
    with zipfile.ZipFile(tmp_path / "data.zip") as file:
        file.extractall(tmp_path / "folder")
    fetch_members(tmp_path / "folder", NAMES, tmp_path / "from_folder")
    check_members(tmp_path / "from_folder")


@pytest.mark.parametrize(
    "evil", ["../../x/prompts_100.npy", "..\\..\\x\\prompts_100.npy", "a/../../prompts_100.npy"]
)
def test_member_with_an_evil_path_stays_inside(tmp_path, evil):
    inside = tmp_path / "a" / "b" / "out"
    (tmp_path / "data.zip").write_bytes(archive({evil: b"data"}))
    fetch_members(tmp_path / "data.zip", ["prompts_100.npy"], inside)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(files) == [inside / "prompts_100.npy", tmp_path / "data.zip"]
    assert (inside / "prompts_100.npy").read_bytes() == b"data"


def test_member_that_is_absent_or_twice_there(tmp_path):
    (tmp_path / "data.zip").write_bytes(archive({"a/counts_100.npy": b"1", "b/counts_100.npy": b"2"}))
    with pytest.raises(DownloadError, match=r"data\.zip: expected one file named prompts_100\.npy, got 0"):
        fetch_members(tmp_path / "data.zip", ["prompts_100.npy"], tmp_path / "out")
    with pytest.raises(DownloadError, match=r"data\.zip: expected one file named counts_100\.npy, got 2"):
        fetch_members(tmp_path / "data.zip", ["counts_100.npy"], tmp_path / "out")
    assert listing(tmp_path / "out") == []


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_damaged_member_is_refused(server, tmp_path, local, compression):
    content = bytearray(archive({"prompts_100.npy": MEMBERS["prompts_100.npy"]}, compression))
    content[5000] ^= 0xFF
    server.files["/data.zip"] = bytes(content)
    with pytest.raises(DownloadError, match=r"/data\.zip: expected an intact ZIP archive"):
        fetch_members(f"{server.url}/data.zip", ["prompts_100.npy"], tmp_path / "out", **local)
    assert listing(tmp_path / "out") == []


def test_member_with_another_checksum_is_refused(tmp_path):
    (tmp_path / "data.zip").write_bytes(archive(MEMBERS))
    checksums = {"prompts_100.npy": None, "counts_100.npy": "0" * 64}
    with pytest.raises(DownloadError, match=r"data\.zip, counts_100\.npy: expected sha256 0+, got"):
        fetch_members(tmp_path / "data.zip", NAMES, tmp_path / "out", sha256=checksums)
    assert listing(tmp_path / "out") == ["prompts_100.npy"]


def test_source_that_is_no_archive_or_not_there(server, tmp_path, local):
    server.files["/data.zip"] = b"<html>log in</html>"
    with pytest.raises(DownloadError, match=r"/data\.zip: expected an intact ZIP archive, got"):
        fetch_members(f"{server.url}/data.zip", NAMES, tmp_path / "out", **local)
    with pytest.raises(MissingFileError, match="404"):
        fetch_members(f"{server.url}/gone.zip", NAMES, tmp_path / "out", **local)
    with pytest.raises(DownloadError, match="expected https"):
        fetch_members(f"{server.url}/data.zip", NAMES, tmp_path / "out")
    with pytest.raises(DownloadError, match="nothing there"):
        fetch_members(tmp_path / "gone.zip", NAMES, tmp_path / "out")
