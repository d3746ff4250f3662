"""Which parts of this text does this model recite: the example of docs/own-text.md, to the letter."""

import os
import re
import shutil
import subprocess
import sys

import pytest
from projects import NO_NETWORK
from test_readme import MEMLOC, SNAKEMAKE

from read_tables import read

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


@pytest.fixture(scope="module")
def example(own_text, answered):
    """The project of the example, which has run."""
    own_text.snakemake(*EXAMPLE, config=None)
    return own_text


def test_the_command_runs_what_plain_snakemake_runs_and_prints_the_answer(own_text, answered, example):
    first, *_, page = answered.splitlines()
    n_passages = int(re.match(r"The model recites (\d+) passages?, the longest", first)[1])
    page = own_text.folder / page.removeprefix("Page: ")
    assert f"<p>{first}</p>" in page.read_text()
    assert page.read_text().count(" of its document)") == n_passages  # each with its place
    # Plain Snakemake with the config of the page, or with that of the command, has nothing left to do.
    for config in ("my-text.yaml", "results/my-text/recite.yaml"):
        assert own_text.jobs("recited", config=config) == {}


def test_the_example_finds_what_the_model_recites(example):
    """All paragraphs that it recited, and perhaps what lies between and around them."""
    results = example.folder / "results/my-text"
    figures, recited = results / "figures", read(results, "recited")
    assert len(example.paragraphs) > 50 and example.memorized
    found = {at for row in recited.itertuples() for at in range(row.start, row.end)}
    for number, text in enumerate(example.paragraphs):
        if text in example.memorized:
            assert set(range(100 * number + 50, 100 * number + 100)) <= found
    text = " ".join((figures / "recited.rst").read_text().split())
    (n_tokens,) = read(results, "texts")["n_tokens"]
    assert n_tokens == 100 * len(example.paragraphs) - 50
    assert f"recites {len(recited)} passages" in text and f"{100 * len(found) / n_tokens:.1f} % of" in text
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
    assert {"paragraphs", "model", "scores", "passages", "recited", "fig2"} <= set(jobs)
    assert example.jobs(*EXAMPLE, config=None) == {}
