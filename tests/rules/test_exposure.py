"""Counts in a real index of the stored study's training stream are those that the embedded data has."""

import copy
import importlib.util
import json

import numpy as np
import pandas as pd
import pytest
import yaml
from jobs import ROOT, STORED, jobs
from made_index import build

from memloc.data import packing, suffix_arrays
from memloc.tables import storage
from memloc.tables.schemas.exposure import EXPOSURE
from memloc.tables.schemas.paragraphs import PARAGRAPHS
from memloc.tables.schemas.training import TRAINING_STREAM

pytestmark = pytest.mark.skipif(
    not importlib.util.find_spec(suffix_arrays.PACKAGE), reason="infini-gram has no wheel for this machine"
)


@pytest.fixture(scope="module")
def paragraphs():
    return storage.read(PARAGRAPHS, STORED / "tables/paragraphs.parquet")


@pytest.fixture(scope="module")
def indexes(paragraphs, tmp_path_factory):
    """Two indexes that together hold the windows of training, each as a document."""
    ids = storage.read(TRAINING_STREAM, STORED / "tables/training_stream.parquet").id
    documents = np.stack(paragraphs.set_index("id").tokens.loc[ids].to_list())
    context = yaml.safe_load((ROOT / "tests/rules/study.yaml").read_text())["model"]["context"]
    stream = packing.windows(documents, 0, context).tolist()
    folders = [tmp_path_factory.mktemp("index") / str(number) for number in range(2)]
    for number, folder in enumerate(folders):
        build(folder, stream[number::2], 2)
    return folders


@pytest.fixture(scope="module")
def planned(indexes, tmp_path_factory):
    """Function that plans the stored study with other settings: its jobs by their logs."""
    folder = tmp_path_factory.mktemp("plans")

    def plan(**settings):
        stored = yaml.safe_load((ROOT / "tests/rules/study.yaml").read_text())
        exposure = {"index": list(map(str, indexes)), "tokenizer": str(STORED / "model")}
        (folder / "config.yaml").write_text(yaml.safe_dump(stored | {"exposure": exposure} | settings))
        return jobs(ROOT, str(folder / "config.yaml"), "repeats", "exposure")

    return plan


@pytest.fixture(scope="module")
def job(planned):
    return planned()


def test_counts_are_those_of_the_embedded_data_and_the_figure_shows_them(job, paragraphs, run, study):
    script, snakemake = job["exposure"]
    run(script, snakemake)
    found = storage.read(EXPOSURE, snakemake.output.exposure)
    assert found.id.tolist() == paragraphs.id.tolist()
    assert found["count"].tolist() == paragraphs["count"].tolist()
    assert found.continuation_count.tolist() == paragraphs.continuation_count.tolist()
    assert (found.prefix_count >= found["count"]).all() and (found.prefix_count > found["count"]).any()

    for name in ("claims_repeats", "repeats"):
        run(*job[name])
    text = " ".join((study / "figures/repeats.rst").read_text().split())
    assert "occurs in the indexes of a corpus" in text


def test_shards_hold_the_same_rows(job, run):
    script, snakemake = job["exposure"]
    parts = []
    for shard in ([0, 1], *([number, 3] for number in range(3))):
        chosen = copy.deepcopy(snakemake)
        chosen._params_store[list(snakemake.params).index(snakemake.params.shard)] = shard
        chosen.log = [f"logs/exposure-{len(parts)}.log"]  # a log is locked as long as its process runs
        run(script, chosen)
        parts.append(storage.read(EXPOSURE, chosen.output.exposure))
    whole, *shards = parts
    pd.testing.assert_frame_equal(pd.concat(shards, ignore_index=True), whole)


def test_an_index_in_other_tokens_ends_in_one_line(job, run, tmp_path):
    """Another vocabulary, in which two tokens have changed their ids."""
    script, snakemake = job["exposure"]
    for name in ("config.json", "tokenizer_config.json", "tokenizer.json"):
        (tmp_path / name).write_text((STORED / "model" / name).read_text())
    tokenizer = json.loads((tmp_path / "tokenizer.json").read_text())
    vocabulary = tokenizer["model"]["vocab"]
    used = [token for token, id in vocabulary.items() if id in (70, 71)]
    vocabulary[used[0]], vocabulary[used[1]] = vocabulary[used[1]], vocabulary[used[0]]
    (tmp_path / "tokenizer.json").write_text(json.dumps(tokenizer))
    chosen = copy.deepcopy(snakemake)
    chosen.input.tokenizer = str(tmp_path)
    with pytest.raises(suffix_arrays.IndexFolderError, match=r"^exposure\.index: .* of another tokenizer"):
        run(script, chosen)


def test_what_is_wrong_is_told_before_any_job(planned, indexes):
    with pytest.raises(AssertionError, match="exposure.tokenizer: missing: .* does not say which tokens"):
        planned(exposure={"index": list(map(str, indexes))})
