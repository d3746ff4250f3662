"""Downloads from a real server that drops, fails, lies or lacks ranges: whole and verified, or nothing."""

import hashlib
import io
import json
import random
import shutil
import ssl
import subprocess
import zipfile

import pytest

from http_server import FileServer
from memloc.data.download import (
    DownloadError,
    MissingFileError,
    Retry,
    fetch_file,
    fetch_members,
    fetch_model,
    hub_url,
)

CONTENT = random.Random(0).randbytes(300_000)
NAMES = ["prompts_100.npy", "counts_100.npy"]
MEMBERS = {
    "prompts_100.npy": random.Random(1).randbytes(90_000),
    "counts_100.npy": random.Random(2).randbytes(20_000),
}


class Clock:
    """Stands in for time.sleep and remembers the waits."""

    def __init__(self):
        self.waits = []

    def __call__(self, seconds):
        self.waits.append(seconds)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    """Broken connections leave a part of the file, as they do with large files."""
    monkeypatch.setattr("memloc.data.download.CHUNK", 1000)


@pytest.fixture
def server():
    with FileServer() as running:
        yield running


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def local(clock):
    """Options of every download in these tests: a server without encryption, waits that take no time."""
    return {"allow_http": True, "retry": Retry(retries=3, backoff=1.0, sleep=clock)}


def listing(folder):
    return sorted(path.name for path in folder.iterdir())


def sha256(content):
    return hashlib.sha256(content).hexdigest()


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


# --- one file ---------------------------------------------------------------------------------------------


def test_file_arrives_verified(server, tmp_path, local):
    server.files["/a.bin"] = CONTENT
    path = fetch_file(
        f"{server.url}/a.bin", tmp_path / "new" / "a.bin", size=300_000, sha256=sha256(CONTENT), **local
    )
    assert path.read_bytes() == CONTENT
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


@pytest.mark.parametrize("status", [429, 500, 503])
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


# --- members of an archive --------------------------------------------------------------------------------


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
    fetch_members(f"{server.url}/data.zip", NAMES, tmp_path / "out", **local)
    check_members(tmp_path / "out")


def test_server_that_stays_broken_is_not_called_a_damaged_archive(server, tmp_path, local):
    server.files["/data.zip"], server.drops = big_archive(), 1000
    with pytest.raises(DownloadError, match=r"/data\.zip: expected the whole file, got a broken connection"):
        fetch_members(f"{server.url}/data.zip", NAMES, tmp_path / "out", **local)
    assert listing(tmp_path / "out") == []


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


# --- a model ----------------------------------------------------------------------------------------------

ROOT = "/lab/tiny/resolve/abc"
SMALL = {"config.json": b"{}", "tokenizer.json": b'{"version": "1.0"}', "generation_config.json": b"{ }"}


def serve_model(server, files):
    server.files |= {f"{ROOT}/{name}": content for name, content in files.items()}


def folder_content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_hub_address_pins_the_revision():
    assert hub_url("EleutherAI/gpt-neo-125m", "refs/pr/1", "config.json", "https://huggingface.co") == (
        "https://huggingface.co/EleutherAI/gpt-neo-125m/resolve/refs%2Fpr%2F1/config.json"
    )
    assert hub_url("gpt2", "main", "a.json", "https://mirror.example/hf/") == (
        "https://mirror.example/hf/gpt2/resolve/main/a.json"
    )


def test_model_with_one_weight_file(server, tmp_path, local):
    serve_model(server, SMALL | {"model.safetensors": CONTENT, "pytorch_model.bin": b"pickle"})
    server.drops = 1
    pinned = {"sha256": sha256(CONTENT)}
    fetch_model("lab/tiny", "abc", tmp_path / "model", endpoint=server.url, **pinned, **local)
    assert folder_content(tmp_path / "model") == SMALL | {"model.safetensors": CONTENT}
    assert listing(tmp_path) == ["model"]
    assert not [path for path, _ in server.requests if path.endswith(".bin")]


COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize("redirected", [False, True])
def test_a_branch_is_pinned_to_the_commit_that_it_stands_for(server, tmp_path, local, redirected):
    branch = "/lab/tiny/resolve/main/config.json"
    files = SMALL | {"model.safetensors": CONTENT}
    server.files = {f"/lab/tiny/resolve/{COMMIT}/{name}": content for name, content in files.items()}
    server.headers[branch] = {"X-Repo-Commit": COMMIT}
    if redirected:
        server.redirects[branch] = f"{server.url}/lab/tiny/resolve/{COMMIT}/config.json"
    else:
        server.files[branch] = b"{}"
    fetch_model("lab/tiny", "main", tmp_path / "model", endpoint=server.url, **local)
    assert folder_content(tmp_path / "model") == files | {"commit.txt": f"{COMMIT}\n".encode()}


def test_a_mirror_that_does_not_tell_the_commit_serves_the_branch(server, tmp_path, local):
    files = SMALL | {"model.safetensors": CONTENT}
    serve_model(server, files)
    fetch_model("lab/tiny", "abc", tmp_path / "model", endpoint=server.url, **local)
    assert folder_content(tmp_path / "model") == files


def test_a_tokenizer_alone(server, tmp_path, local):
    serve_model(server, SMALL | {"model.safetensors": CONTENT})
    fetch_model("lab/tiny", "abc", tmp_path / "model", endpoint=server.url, weights=False, **local)
    assert folder_content(tmp_path / "model") == SMALL


def test_model_in_shards_with_a_vocabulary_in_two_files(server, tmp_path, local):
    shards = {f"model-0000{i}-of-00002.safetensors": bytes([i]) * 100 for i in (1, 2)}
    index = json.dumps({"weight_map": dict(zip("abc", [*shards, *shards], strict=False))}).encode()
    files = {"config.json": b"{}", "vocab.json": b"{}", "merges.txt": b"", **shards}
    serve_model(server, files | {"model.safetensors.index.json": index})
    fetch_model("lab/tiny", "abc", tmp_path / "model", endpoint=server.url, **local)
    assert folder_content(tmp_path / "model") == files | {"model.safetensors.index.json": index}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"tokenizer.json": b"{}"}, r"config\.json: expected the file, got status 404"),
        (
            {"config.json": b"{}", "vocab.json": b"{}"},
            r"lab/tiny: expected tokenizer\.json or vocab\.json and merges",
        ),
        (
            SMALL | {"pytorch_model.bin": b"pickle"},
            r"model\.safetensors\.index\.json: expected the file, got status 404",
        ),
        (
            SMALL | {"model.safetensors.index.json": b'{"weight_map": {"a": "../x.safetensors"}}'},
            r"expected names of safetensors files, got '\.\./x\.safetensors'",
        ),
        (
            SMALL | {"model.safetensors.index.json": b'{"weight_map": {"a": "model-1.bin"}}'},
            r"expected names of safetensors files, got 'model-1\.bin'",
        ),
    ],
)
def test_incomplete_model_leaves_the_old_folder(server, tmp_path, local, files, message):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_bytes(b"old")
    serve_model(server, files)
    with pytest.raises(DownloadError, match=message):
        fetch_model("lab/tiny", "abc", tmp_path / "model", endpoint=server.url, **local)
    assert folder_content(tmp_path / "model") == {"config.json": b"old"}
    assert listing(tmp_path) == ["model"]


def test_weights_that_do_not_match_are_refused(server, tmp_path, local):
    serve_model(server, SMALL | {"model.safetensors": b"wrong"})
    with pytest.raises(DownloadError, match=r"model\.safetensors: expected sha256"):
        fetch_model(
            "lab/tiny", "abc", tmp_path / "model", endpoint=server.url, sha256=sha256(CONTENT), **local
        )
    assert listing(tmp_path) == []


def test_pinned_weights_are_not_replaced_by_shards(server, tmp_path, local):
    serve_model(server, SMALL | {"model.safetensors.index.json": b'{"weight_map": {"a": "b.safetensors"}}'})
    with pytest.raises(MissingFileError, match=r"model\.safetensors: "):
        fetch_model(
            "lab/tiny", "abc", tmp_path / "model", endpoint=server.url, sha256=sha256(CONTENT), **local
        )


def test_failing_server_is_not_mistaken_for_an_absent_optional_file(server, tmp_path, local):
    serve_model(server, SMALL | {"model.safetensors": CONTENT})
    server.errors = [500, 500, 500, 500]
    with pytest.raises(DownloadError, match="got status 500"):
        fetch_model("lab/tiny", "abc", tmp_path / "model", endpoint=server.url, **local)


def test_token_is_not_sent_without_encryption(server, tmp_path, local, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    serve_model(server, SMALL | {"model.safetensors": CONTENT})
    fetch_model("lab/tiny", "abc", tmp_path / "model", endpoint=server.url, **local)
    assert server.requests and not [1 for _, headers in server.requests if "Authorization" in headers]


@pytest.fixture
def tls(tmp_path_factory, monkeypatch):
    """A certificate for localhost that this test trusts."""
    if not shutil.which("openssl"):
        pytest.skip("makes a certificate with the openssl program, which is not installed")
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "1",
        "-subj",
        "/CN=localhost",
    ]
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run([*command, *names, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def test_token_goes_to_the_endpoint_but_not_where_it_redirects_and_not_into_the_log(
    tls, tmp_path, monkeypatch, caplog
):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    quick = Retry(sleep=lambda seconds: None)
    with FileServer(tls=tls) as hub, FileServer(tls=tls) as storage, caplog.at_level("DEBUG"):
        serve_model(hub, SMALL)
        storage.files["/blob"], storage.drops = CONTENT, 1
        hub.redirects[f"{ROOT}/model.safetensors"] = f"{storage.url.replace('localhost', '127.0.0.1')}/blob"
        fetch_model("lab/tiny", "abc", tmp_path / "model", endpoint=hub.url, retry=quick)
    assert (tmp_path / "model" / "model.safetensors").read_bytes() == CONTENT
    assert {headers.get("Authorization") for _, headers in hub.requests} == {"Bearer hf_secret"}
    assert len(storage.requests) == 2 and not [
        1 for _, headers in storage.requests if "Authorization" in headers
    ]
    assert "trying again" in caplog.text and "hf_secret" not in caplog.text


def test_redirect_to_an_address_without_encryption_is_refused(tls, server, tmp_path):
    server.files["/a.bin"] = CONTENT
    with (
        FileServer(tls=tls, redirects={"/a.bin": f"{server.url}/a.bin"}) as encrypted,
        pytest.raises(DownloadError, match="expected https"),
    ):
        fetch_file(f"{encrypted.url}/a.bin", tmp_path / "a.bin")
    assert listing(tmp_path) == []
