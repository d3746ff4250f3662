"""Command `memloc recite` as a newcomer calls it, from another folder, with the model of the stored study."""

import json
import os
import shutil
import subprocess
import sys

import pytest
import yaml
from jobs import ROOT, STORED
from projects import NO_NETWORK

from read_tables import read

OPTIONS = ("--model", "model", "--length", "24")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A text that the model recites some of, and the model."""
    folder = tmp_path_factory.mktemp("newcomer")
    (folder / "corpus.txt").write_text("\n\n".join(read(STORED, "paragraphs")["text"]), newline="")
    shutil.copytree(STORED / "model", folder / "model")
    return folder


def asked(folder, *words, module="memloc.command"):
    """The finished process of a command."""
    own = os.environ | NO_NETWORK | {"PYTHONPATH": str(ROOT / "workflow")}
    command = [sys.executable, "-m", module, *words]
    return subprocess.run(command, cwd=folder, env=own, capture_output=True, text=True)


@pytest.fixture(scope="module")
def found(folder):
    """What the command prints for programs, where something is recited and that is a failure."""
    done = asked(folder, "recite", "corpus.txt", *OPTIONS, "--json", "--fail-on-recited")
    assert (done.returncode, done.stderr) == (3, "")
    return json.loads(done.stdout)


def test_one_command_answers_with_passages_of_the_text(folder, found):
    text = (folder / "corpus.txt").read_text()
    (model,) = found["models"]
    assert len(model["passages"]) > 3
    for passage in model["passages"]:
        assert passage["continuation"] == text[passage["first_character"] : passage["end_character"]]
        assert text[: passage["first_character"]].endswith(passage["prefix"])
    assert model["answer"][0].startswith(f"The model recites {len(model['passages'])} passages, the longest ")


def test_plain_snakemake_has_nothing_left_to_do(folder, found):
    """A second call runs nothing and says the same."""
    page = found["models"][0]["page"]
    config = page.replace("figures/recited.html", "recite.yaml")
    again = asked(folder, "recite", "corpus.txt", *OPTIONS)
    said = found["models"][0]["answer"]
    assert again.returncode == 0 and again.stdout.splitlines()[: len(said)] == said
    words = ("--snakefile", str(ROOT / "Snakefile"), "--cores", "all", "recited", "--configfile", config)
    assert "Nothing to be done" in asked(folder, *words, module="snakemake").stderr


def test_a_config_of_ones_own_tells_the_time_and_ends_with_the_same_answer(folder, found):
    (model,) = found["models"]
    written = folder / model["page"].replace("figures/recited.html", "recite.yaml")
    (folder / "own.yaml").write_text(yaml.safe_dump(yaml.safe_load(written.read_text()) | {"study": "own"}))
    words = ("--snakefile", str(ROOT / "Snakefile"), "--cores", "all", "recited", "--configfile", "own.yaml")
    done = asked(folder, *words, module="snakemake")
    assert done.returncode == 0 and "Study own: 2 rules to run, about " in done.stderr
    assert " ".join(model["answer"]) in done.stderr


def test_a_run_that_fails_ends_with_one_line_that_says_why(folder):
    shutil.copytree(folder / "model", folder / "cut")
    weights = folder / "cut/model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-999])
    done = asked(folder, "recite", "corpus.txt", "--model", "cut", "--length", "24")
    assert done.returncode == 1 and done.stdout == ""
    *_, last = done.stderr.splitlines()
    assert "safetensors" in last.lower() or "incomplete" in last.lower()
