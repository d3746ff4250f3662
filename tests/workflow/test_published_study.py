"""The path of the paper's study at the size of the stored study: published archive, hub, published numbers.

The archive and the hub are a real server on this machine that serves the stored study's own paragraphs and
model, so that its tables say what must come out.
"""

import hashlib
import io
import zipfile

import numpy as np
import pandas as pd
import pytest
import yaml
from jobs import STORED, settings

from http_server import FileServer
from memloc.data.paragraphs import UNKNOWN
from memloc.tables import storage
from read_tables import read

LENGTH, N_CONTINUATION = 24, 12
MODEL, REVISION = "tests/tiny-neo", "0123456789abcdef0123456789abcdef01234567"
TARGETS = ("fig2", "expected", "run_config")
RESULTS = "results/published"


def archive(paragraphs):
    """The published form: token ids and counts as arrays in a ZIP file, and lengths that nobody needs."""
    tokens = np.stack(paragraphs["tokens"])
    arrays = {
        # The release holds rows that failed to parse: zeros, with a count of zero.
        f"prompts_{LENGTH}": np.concatenate([tokens, np.zeros((2, LENGTH))]).astype(np.uint16),
        f"counts_{LENGTH}": np.concatenate([paragraphs["count"], [0, 0]]).astype(np.uint32),
        "prompts_500": np.random.default_rng(0).integers(0, 50_000, (8_000, 500)).astype(np.uint16),
        "counts_500": np.ones(8_000, dtype=np.uint32),
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.save(member, array)
            file.writestr(f"data/{name}.npy", member.getvalue())
    return content.getvalue()


@pytest.fixture(scope="module")
def source():
    """Paragraphs, scores and sets of the stored study, but not what it holds out; model files."""
    found = {name: read(STORED, name) for name in ("paragraphs", "scores", "sets")}
    held_out = found["paragraphs"]["id"][found["paragraphs"]["held_out"]]
    found = {name: table[~table["id"].isin(held_out)] for name, table in found.items()}
    model = {path.name: path.read_bytes() for path in (STORED / "model").iterdir()}
    return found | {"model": model}


@pytest.fixture(scope="module")
def server(source):
    with FileServer({"/data.zip": archive(source["paragraphs"])}) as running:
        running.publish(MODEL, source["model"], REVISION)
        yield running


@pytest.fixture(scope="module")
def config(source, server, tmp_path_factory):
    """Config file of the study `published`: the stored study with other sources of data and model."""
    weights, numbers = source["model"]["model.safetensors"], {"n_paragraphs": len(source["scores"])}
    numbers["n_memorized"] = int((source["sets"]["set"] == "memorized").sum()) + 1
    numbers["max_count"] = int(source["paragraphs"]["count"].max())
    known = {"id": MODEL, "revision": REVISION, "sha256": hashlib.sha256(weights).hexdigest()}
    given = settings(
        study="published",
        data={"source": "release", "location": f"{server.url}/data.zip"},
        network={"endpoint": server.url},
        model={"source": "hub"} | known,
        expected={"numbers": numbers},
    )
    file = tmp_path_factory.mktemp("published") / "published.yaml"
    file.write_text(yaml.safe_dump(given))
    return file


@pytest.fixture(scope="module")
def published(own_clone, server, config):
    """The finished study `published`: downloads first, then all else without a network."""
    own_clone.snakemake("--cores", "1", "resources", config=str(config))
    own_clone.snakemake("--cores", "2", *TARGETS, config=str(config), network=False)
    return own_clone


def test_paragraphs_are_the_published_ones(published, source):
    found = read(published.folder / RESULTS, "paragraphs")
    assert found["count"].tolist()[-2:] == [0, 0]
    unknown = list(UNKNOWN)
    pd.testing.assert_frame_equal(
        found[:-2].drop(columns=unknown), source["paragraphs"].drop(columns=unknown)
    )
    assert found[unknown].isna().all(axis=None)
    dropped = read(published.folder / RESULTS, "dropped_paragraphs")
    assert (dropped["reason"] == "parsing failed").sum() == 2


def test_scores_and_sets_are_those_of_the_same_paragraphs_and_model(published, source):
    stamp = storage.provenance(published.folder / RESULTS / "tables/scores.parquet")
    assert stamp["model"]["name"] == MODEL and stamp["model"]["revision"] == REVISION
    scores = read(published.folder / RESULTS, "scores")
    pd.testing.assert_frame_equal(scores, source["scores"], atol=1e-5, rtol=1e-3)  # of another processor
    # One published count is another, so pairs of equal counts are others, and their continuations are kept.
    columns = ["id", "set", "sampled", "sampled_rare_tokens"]
    pd.testing.assert_frame_equal(read(published.folder / RESULTS, "sets")[columns], source["sets"][columns])


def test_published_numbers_are_compared(published, source):
    frame = read(published.folder / RESULTS, "expected").set_index("quantity")
    n_memorized = int((source["scores"]["em"] == N_CONTINUATION).sum())
    assert frame.loc["n_paragraphs", "agrees"] and frame.loc["max_count", "agrees"]
    assert frame.loc["n_memorized", ["expected", "found"]].tolist() == [n_memorized + 1, n_memorized]


def test_nothing_is_downloaded_again(published, config):
    """Neither for this study nor for another one with the same data and model, and not after an edit."""
    assert published.jobs(*TARGETS, config=str(config)) == {}
    other = config.with_name("other.yaml")
    other.write_text(config.read_text().replace("study: published", "study: other\nseed: 3"))
    jobs = published.jobs("fig2", config=str(other))
    assert "scores" in jobs and not {"download_release", "download_model"} & set(jobs)
