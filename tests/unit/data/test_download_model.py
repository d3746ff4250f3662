"""A model from a hub: all of its files or none, and the hub's token for nobody else."""

import json

import pytest
from made_downloads import CONTENT, listing, sha256

from http_server import FileServer
from memloc.data.download import DownloadError, MissingFileError, Retry, fetch_model, hub_url

ROOT = "/lab/tiny/resolve/abc"
SMALL = {"config.json": b"{}", "tokenizer.json": b'{"version": "1.0"}', "generation_config.json": b"{ }"}
SMALL |= dict.fromkeys(("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"), b"[]")
pytestmark = pytest.mark.usefixtures("small_chunks")


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
    server.errors = [503]  # the first time that it is asked
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
        (
            SMALL | {"model.safetensors.index.json": b'{"weight_map": {"a": "a.safetensors/../../x"}}'},
            r"expected names of safetensors files, got 'a\.safetensors/\.\./\.\./x'",
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
    with FileServer() as stopped:
        server.redirects[f"{ROOT}/added_tokens.json"] = f"{stopped.url}/gone"
    with pytest.raises(DownloadError, match=r"added_tokens\.json: .* broken connection"):
        fetch_model("lab/tiny", "abc", tmp_path / "model", endpoint=server.url, **local)


def test_token_is_not_sent_without_encryption(server, tmp_path, local, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    serve_model(server, SMALL | {"model.safetensors": CONTENT})
    fetch_model("lab/tiny", "abc", tmp_path / "model", endpoint=server.url, **local)
    assert server.requests and not [1 for _, headers in server.requests if "Authorization" in headers]


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
