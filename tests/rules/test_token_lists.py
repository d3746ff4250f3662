"""Paragraphs of a stored study, written as arrays of token ids, come back whatever the file."""

import copy

import numpy as np
import pandas as pd
import pytest
import yaml
from jobs import ROOT, jobs

from memloc.tables import storage
from memloc.tables.schemas import schema_of

FILES = ("tokens.npy", "list.parquet")  # arrays alone, and named ones


@pytest.fixture(scope="module")
def paragraphs():
    return storage.read(schema_of("paragraphs"), ROOT / "tests/rules/stored/tables/paragraphs.parquet")


@pytest.fixture(scope="module")
def listed(paragraphs, tmp_path_factory):
    """A folder with the paragraphs in both files."""
    folder = tmp_path_factory.mktemp("listed")
    np.save(folder / "tokens.npy", np.stack(paragraphs.tokens))
    paragraphs[["tokens"]].to_parquet(folder / "list.parquet")
    return folder


@pytest.fixture(scope="module")
def job(listed):
    """Script and job of rule paragraphs for the .npy files."""
    stored = yaml.safe_load((ROOT / "tests/rules/study.yaml").read_text())
    config = {
        "study": "listed",
        "paragraph": stored.get("paragraph", {}),
        "data": {"source": "tokens", "files": [str(listed / "tokens.npy")]},
        "model": {"source": "local", "folder": str(ROOT / "tests/rules/stored/model")},
    }
    (listed / "config.yaml").write_text(yaml.safe_dump(config))
    return jobs(ROOT, str(listed / "config.yaml"), "dropped_paragraphs")["paragraphs"]


@pytest.mark.parametrize("file", FILES)
def test_files_give_the_paragraphs_that_were_written(file, job, listed, paragraphs, run):
    script, snakemake = job
    chosen = copy.deepcopy(snakemake)
    chosen.input.tokens = [str(listed / file)]
    run(script, chosen)
    found = storage.read(schema_of("paragraphs"), chosen.output.paragraphs)
    same = ["id", "text", "tokens"]
    pd.testing.assert_frame_equal(found[same], paragraphs[same])
    assert found[["continuation_count", "near_count", "file"]].isna().all(axis=None)
    assert (found["count"] == 1).all() and not found.unseen.any()


def test_tokens_of_another_model_end_in_one_line(job, listed, run):
    script, snakemake = job
    tokens = np.load(listed / "tokens.npy")
    tokens[3, 5] = 10**6
    np.save(listed / "wrong.npy", tokens)
    chosen = copy.deepcopy(snakemake)
    chosen.input.tokens = [str(listed / "wrong.npy")]
    with pytest.raises(ValueError, match=r"^data\.files: .*wrong\.npy, row 3: token 1000000, but the model"):
        run(script, chosen)
