"""A model from a hub: all of its files or none, and the hub's token only over encrypted connections."""

import hashlib
import random

import pytest
from huggingface_hub import close_session

from http_server import FileServer
from memloc.data.download import DownloadError
from memloc.data.hub import fetch_model

CONTENT = random.Random(0).randbytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
COMMIT = "0123456789abcdef0123456789abcdef01234567"
SMALL = {"config.json": b"{}", "tokenizer.json": b'{"version": "1.0"}', "generation_config.json": b"{ }"}
WHOLE = SMALL | {"model.safetensors": CONTENT}
OTHER = {"pytorch_model.bin": b"pickle", "onnx/model.safetensors": b"", "README.md": b"", "code.py": b""}
pytestmark = pytest.mark.usefixtures("waits")


def fetched(server, folder, revision=COMMIT, **asked):
    fetch_model("lab/tiny", revision, folder, server.url, **asked)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_model_is_fetched_without_what_is_not_needed(server, tmp_path):
    server.publish("lab/tiny", WHOLE | OTHER, COMMIT)
    assert fetched(server, tmp_path / "model", sha256=SHA256) == WHOLE
    assert fetched(server, tmp_path / "tokenizer", weights=False) == SMALL
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "tokenizer"]


def test_a_branch_is_pinned_to_the_commit_that_it_stands_for(server, tmp_path):
    commit = server.publish("lab/tiny", WHOLE, "main")
    assert fetched(server, tmp_path / "model", "main") == WHOLE | {"commit.txt": f"{commit}\n".encode()}


def test_weights_may_lie_in_shards_and_a_vocabulary_in_two_files(server, tmp_path):
    shards = {f"model-0000{i}-of-00002.safetensors": bytes([i]) * 100 for i in (1, 2)}
    vocabulary = {"config.json": b"{}", "vocab.json": b"{}", "merges.txt": b"# merges"}
    files = vocabulary | shards | {"model.safetensors.index.json": b"{}"}
    server.publish("lab/tiny", files | OTHER, COMMIT)
    assert fetched(server, tmp_path / "model") == files


@pytest.mark.parametrize(
    ("files", "asked", "message"),
    [
        ({}, {"revision": "gone"}, "lab/tiny at gone: expected the model, got: .*404"),
        ({"tokenizer.json": b"{}"}, {}, "lab/tiny: expected config.json and model.safetensors.index.json"),
        (
            {"config.json": b"{}", "vocab.json": b"{}"},
            {},
            r"expected tokenizer\.json or vocab\.json and merg",
        ),
        (SMALL | OTHER, {}, r"expected model\.safetensors\.index\.json, which it does not have"),
        (SMALL | {"model.safetensors.index.json": b"{}"}, {"sha256": SHA256}, "expected model.safetensors,"),
        (SMALL | {"model.safetensors": b"wrong"}, {"sha256": SHA256}, r"model\.safetensors: expected sha256"),
    ],
)
def test_a_model_that_is_not_whole_leaves_the_old_folder(server, tmp_path, files, asked, message):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_bytes(b"old")
    server.publish("lab/tiny", files, COMMIT)
    with pytest.raises(DownloadError, match=f"^[^\n]*{message}[^\n]*$"):
        fetched(server, tmp_path / "model", **asked)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert (tmp_path / "model" / "config.json").read_bytes() == b"old"


def test_a_failing_or_absent_hub_is_named(server, tmp_path):
    server.publish("lab/tiny", WHOLE, COMMIT)
    server.errors = [500] * 20
    with pytest.raises(DownloadError, match="lab/tiny at .* got: .*500 Internal Server Error"):
        fetched(server, tmp_path / "model")
    with FileServer() as stopped:
        pass
    with pytest.raises(DownloadError, match="Connection refused"):
        fetched(stopped, tmp_path / "model")


def test_without_encryption_the_token_stays_here_and_a_hub_elsewhere_is_not_asked(
    server, tmp_path, monkeypatch
):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    server.publish("lab/tiny", WHOLE, COMMIT)
    fetched(server, tmp_path / "model")
    assert server.requests and not [1 for _, headers in server.requests if "hf_secret" in str(headers)]
    n_requests = len(server.requests)
    with pytest.raises(DownloadError, match="expected https"):
        fetch_model("lab/tiny", COMMIT, tmp_path / "model", server.url.replace("localhost", "127.0.0.1"))
    assert len(server.requests) == n_requests


def test_over_an_encrypted_connection_the_token_is_sent(tls, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    close_session()  # one that reads the test's certificates is opened
    with FileServer(tls=tls) as hub:
        hub.publish("lab/tiny", WHOLE, COMMIT)
        fetch_model("lab/tiny", COMMIT, tmp_path / "model", hub.url)
    given = {headers.get("Authorization", headers.get("authorization")) for _, headers in hub.requests}
    assert given == {"Bearer hf_secret"}
