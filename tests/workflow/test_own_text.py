"""Which parts of this text does this model recite: the example of docs/own-text.md, to the letter."""

import os
import shutil
import subprocess
import sys

import pandas as pd
import pytest
from projects import NO_NETWORK, Project
from test_readme import MEMLOC, SNAKEMAKE

from memloc.tables import storage
from memloc.tables.schemas import schema_of

(EXAMPLE,) = [words[1:] for words in SNAKEMAKE if {"my-text.yaml", "recited"} <= set(words)]
(COMMAND,) = MEMLOC


def asked(project, *words):
    """The finished process of the one command in the folder of the example."""
    own = os.environ | NO_NETWORK | {"PYTHONPATH": str(project.folder / "workflow")}
    command = [sys.executable, "-m", "memloc.command", *words]
    return subprocess.run(command, cwd=project.folder, env=own, capture_output=True, text=True)


@pytest.fixture(scope="module")
def answered(own_text):
    """What the one command prints, which has run in the project of the example."""
    done = asked(own_text, *COMMAND[1:])
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_console_of_the_command_says_why_a_job_failed(own_text):
    model = own_text.folder / "bare"
    model.mkdir()
    shutil.copy(own_text.folder / "path/to/model/config.json", model)
    done = asked(own_text, "recite", "corpus.txt", "--model", "bare", "--out", "bare")
    assert done.returncode == 1 and done.stdout == ""
    (told,) = (
        line for line in done.stderr.splitlines() if line.startswith("results/bare/logs/paragraphs.log")
    )
    assert "ERROR: bare: no tokenizer" in told


@pytest.fixture(scope="module")
def example(own_text, answered):
    """The project of the example, which has run."""
    own_text.snakemake(*EXAMPLE, config=None)
    return own_text


def test_the_command_runs_what_plain_snakemake_runs_and_prints_the_answer(own_text, answered, example):
    told = f"recites {len(own_text.memorized)} of {len(own_text.paragraphs)} paragraphs of 100 tokens"
    assert told in answered and "  50 tokens, corpus.txt, line " in answered
    *_, page, hint = answered.splitlines()
    page = own_text.folder / page.removeprefix("Page: ")
    assert "--stride" in hint and page.read_text().count("tokens recited</h2>") == len(own_text.memorized)
    # Plain Snakemake with the config of the page, or with that of the command, has nothing left to do.
    for config in ("my-text.yaml", "results/my-text/recite.yaml"):
        assert own_text.jobs("recited", config=config) == {}


def test_another_folder_needs_the_snakefile_and_nothing_else(own_text, tmp_path):
    for name in ("corpus.txt", "path", "my-text.yaml"):
        (tmp_path / name).symlink_to(own_text.folder / name)
    jobs = Project(tmp_path).jobs("-s", f"{own_text.folder}/Snakefile", "recited", config="my-text.yaml")
    assert jobs.keys() >= {"paragraphs", "scores", "recited"}


def test_the_example_finds_what_the_model_recites(example):
    figures = example.folder / "results/my-text/figures"
    recited = pd.read_csv(figures / "recited.csv", keep_default_na=False)
    assert len(example.paragraphs) > 50 and example.memorized
    exact = recited[recited.n_edits == 0]
    assert set(exact.prefix + exact.continuation) == example.memorized
    assert (exact.em == 50).all() and (exact.continuation == exact.decoded).all()
    nearly = recited[recited.n_edits > 0]
    assert (nearly.em < 50).all() and (nearly.n_edits <= 5).all()
    assert (nearly.continuation != nearly.decoded).all()
    stored = storage.read(schema_of("recited"), figures.parent / "tables/recited.parquet")
    pd.testing.assert_frame_equal(stored, recited, check_dtype=False)
    text = " ".join((figures / "recited.rst").read_text().split())
    assert f"Of the {len(example.paragraphs)} paragraphs" in text
    assert f"the model recites {len(example.memorized)}: given the first 50 tokens" in text
    for name in ("recited.png", "fig2.png", "repeats.png"):
        assert (figures / name).stat().st_size > 5000


def test_weights_that_were_swapped_run_everything_again(example, tmp_path):
    """Also when the other file is older, and as large."""
    assert example.jobs(*EXAMPLE, config=None) == {}
    weights = example.folder / "path/to/model/model.safetensors"
    shutil.copy2(weights, tmp_path / "kept")
    os.utime(weights, (0, 0))
    jobs = example.jobs(*EXAMPLE, config=None)
    shutil.copy2(tmp_path / "kept", weights)
    assert {"model", "scores", "recited", "fig2"} <= set(jobs)
    assert example.jobs(*EXAMPLE, config=None) == {}
