"""Command `memloc recite` as a newcomer calls it, from another folder, with the model of the stored study."""

import json
import os
import shutil
import signal
import subprocess
import sys
from functools import partial

import pytest
import yaml
from jobs import ROOT, STORED
from kills import Moments, until
from projects import NO_NETWORK, Project

from read_tables import read

OPTIONS = ("--model", "model", "--length", "24")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A text that the model recites some of, and the model."""
    folder = tmp_path_factory.mktemp("newcomer")
    (folder / "corpus.txt").write_text("\n\n".join(read(STORED, "paragraphs")["text"]), newline="")
    shutil.copytree(STORED / "model", folder / "model")
    return folder


def asked(folder, *words, module="memloc.command", run=subprocess.run, path="", **how):
    """The finished process of a command, or one that `run` starts."""
    own = os.environ | NO_NETWORK | {"PYTHONPATH": f"{ROOT / 'workflow'}:{path}", "MOMENTS": path}
    how = how or {"capture_output": True}
    return run([sys.executable, "-m", module, *words], cwd=folder, env=own, text=True, **how)


@pytest.fixture(scope="module")
def found(folder):
    """What the command prints for programs, where something is recited and that is a failure."""
    done = asked(folder, "recite", "corpus.txt", *OPTIONS, "--json", "--fail-on-recited")
    assert (done.returncode, done.stderr) == (3, "")
    return json.loads(done.stdout)


def test_a_config_of_ones_own_tells_the_time_and_ends_with_the_same_answer(folder, found):
    (model,) = found["models"]
    written = folder / model["page"].replace("figures/recited.html", "recite.yaml")
    (folder / "own.yaml").write_text(yaml.safe_dump(yaml.safe_load(written.read_text()) | {"study": "own"}))
    words = ("--snakefile", str(ROOT / "Snakefile"), "--cores", "all", "recited", "--configfile", "own.yaml")
    done = asked(folder, *words, module="snakemake")
    assert done.returncode == 0 and "Study own: 2 rules to run, about " in done.stderr
    assert " ".join(model["answer"]) in done.stderr


def stopped(process, moments):
    """Ctrl-C, which the terminal gives to all processes."""
    os.killpg(process.pid, signal.SIGINT)
    return 130, "Stopped. What is complete is kept: the same command goes on from there."


def killed(process, moments):
    """With all that it has started."""
    os.killpg(process.pid, signal.SIGKILL)
    return -signal.SIGKILL, None


def killed_alone(process, moments):
    """What is held lives on."""
    process.kill()
    return -signal.SIGKILL, None


def test_what_is_stopped_or_killed_goes_on_and_says_so(folder, found):
    """Again and again, at the end of the scan, before anything is written."""
    moments, words = Moments.of(Project(folder)), ("recite", "corpus.txt", *OPTIONS, "--out", "ended")
    own = {"path": str(moments.folder), "run": subprocess.Popen, "start_new_session": True}
    # Where the tests run in the background of a shell, their children would not hear Ctrl-C.
    own["preexec_fn"] = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    said = folder / "said.txt"
    for number, end in enumerate((stopped, killed, killed_alone)):
        moments.ask("recited.parquet")
        last = moments.held("recited.parquet")
        with said.open("w") as file:
            process = asked(folder, *words, **own, stderr=file)
        until(process, lambda last=last: moments.held("recited.parquet", last))
        until(process, lambda n=number: said.read_text().count("goes on from there") == min(n, 1))
        status, told = end(process, moments)
        assert process.wait() == status
        lines = said.read_text().splitlines()
        assert told in (None, lines[-1])
        if end is not killed_alone:
            moments.release("recited.parquet")
    done = asked(folder, *words)
    assert done.returncode == 0 and done.stdout.splitlines()[0] == found["models"][0]["answer"][0]
    assert sum("goes on from there" in line for line in done.stderr.splitlines()) == 1


def test_a_run_that_fails_ends_with_one_line_that_says_why(folder):
    shutil.copytree(folder / "model", folder / "cut")
    weights = folder / "cut/model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-999])
    done = asked(folder, "recite", "corpus.txt", "--model", "cut", "--length", "24")
    assert done.returncode == 1 and done.stdout == ""
    *_, last = done.stderr.splitlines()
    assert "safetensors" in last.lower() or "incomplete" in last.lower()
