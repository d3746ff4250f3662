"""A run that is killed again and again, in every way, ends with the files of one that was not.

In `make test` a run of three rules and a training are killed at moments that differ; in `make stress` the
whole study, at any moment. MEMLOC_SEED asks for other moments.
"""

import os
import random
import re
import shutil
from pathlib import Path

import pytest
from describe_rules import Rules
from kills import (
    LEAVE_A_LOCK,
    WAYS,
    Moments,
    everything,
    kill_everything,
    one_script,
    one_script_by_sigterm,
    running,
    snakemake_alone,
    snakemake_by_sigterm,
    until,
)
from projects import STUDY, Project

from memloc.figures.catalog import FIGURES
from memloc.tables.schemas import MEASURED
from read_tables import read

SEED = int(os.environ.get("MEMLOC_SEED", 0))
N_KILLS = 20  # of `make stress`
ENDED = r"rare_tokens\.log: \[.*\] ERROR: ended from outside by SIGTERM; start again"
KILLS = (
    # The rule, the moment, how it is killed, and what the console says of it.
    ("prefix_features", "prefix_features.py", one_script, r"prefix_features\.log: killed, .*ends with: "),
    ("rare_tokens", "rare_tokens.parquet", one_script_by_sigterm, ENDED),
    ("rare_tokens", "rare_tokens.parquet", snakemake_alone, ""),
    ("fig2", "fig2.png", everything, ""),
    ("fig2", "fig2.png", snakemake_by_sigterm, "Will exit after finishing currently running jobs"),
)
RULES = ("prefix_features", "rare_tokens", "fig2")
RESUMED = "A run in this folder was killed, and its lock is removed: what is complete is kept"
TARGETS = (*RULES, "--allowed-rules", *RULES)
TIMED = {figure.name for figure in FIGURES if set(figure.tables) & set(MEASURED)}
TRAINING = {"paragraphs.parquet", "occurrences.parquet", "training_stream.parquet", "training_curve.parquet"}


def kill(project, moments, moment, way, *targets):
    """Kill a run when one of its processes comes to a moment; until then no other may run in its folder.

    Returns what its console says.
    """
    moments.ask(moment)
    with running(project, "--cores", "2", *targets, environment=moments.environment) as process:
        until(process, lambda: moments.held(moment))
        refused = project.forked("--cores", "1", *targets, status=1)
        assert "cannot be locked" in refused and RESUMED not in refused
        way(process, moments, moment)
    for path in (project.folder / "results/test/tables").glob("[!.]*.parquet"):
        read(project.folder / "results/test", path.stem)
    return (project.folder / "console.txt").read_text()


def assert_same(project, finished):
    """Tables, model, plotted numbers and captions that are there are those of an undisturbed run, byte for
    byte. Figures of measured seconds are left out.
    """
    results = project.folder / "results/test"
    assert names(results / "model") == names(finished.results / "model")
    for pattern in ("tables/*.parquet", "model/*", "figures/*.csv", "figures/*.rst"):
        for path in results.glob(pattern):
            if path.stem not in TIMED and not path.name.startswith(".partial"):
                expected = finished.results / path.relative_to(results)
                assert path.read_bytes() == expected.read_bytes(), path.name


def files(project):
    results = project.folder / "results/test"
    return {f"{kind}/{name}" for kind in ("tables", "figures") for name in names(results / kind)}


def names(folder):
    return {path.name for path in folder.iterdir() if not path.name.startswith(".partial")}


def test_a_run_that_is_killed_in_every_way_makes_what_an_undisturbed_one_does(editable, finished):
    moments = Moments.of(editable)
    for rule in RULES:
        for path in editable.results.glob(f"*/{rule}.*"):
            path.unlink()
    killed = False
    for rule, moment, way, said in KILLS:
        console = kill(editable, moments, moment, way, rule, "--allowed-rules", *RULES)
        assert re.search(said, console) and console.count(RESUMED) == killed
        killed = way in LEAVE_A_LOCK
    editable.snakemake("--cores", "2", *TARGETS)
    assert_same(editable, finished)
    assert files(editable) == files(finished)
    assert editable.jobs(*TARGETS) == {}


def test_a_training_that_is_killed_goes_on_from_its_checkpoint(editable):
    """Killed with one checkpoint, and a second one that has no name yet. Its script lives on until then."""
    moments, target = Moments.of(editable), ("train_model", "--allowed-rules", "train_model")
    shutil.rmtree(editable.results / "model")

    def at_the_second(process, moments, moment):
        moments.ask(moment)
        moments.release(moment)
        until(process, lambda: moments.held(moment))
        process.kill()
        process.wait()

    kill(editable, moments, "checkpoints", at_the_second, *target)
    left = moments.held("checkpoints")
    moments.ask("checkpoints")
    with running(editable, "--cores", "2", *target, environment=moments.environment) as process:
        until(process, lambda: moments.held("checkpoints", but=left))
        kill_everything(process)
    console = (editable.folder / "console.txt").read_text()
    assert RESUMED in console and "Jobs that a killed run has left running, and that end now: 1." in console
    assert "resumed at step 40 of" in (editable.results / "logs/train_model.log").read_text()


@pytest.mark.stress
def test_the_whole_study_that_is_killed_at_any_moment_is_that_of_an_undisturbed_run(
    clone, finished, tmp_path
):
    project, chosen = Project(shutil.copytree(clone.folder, tmp_path / "project")), random.Random(SEED)
    moments, rules = Moments.of(project), Rules.of(project.folder, STUDY).jobs
    for _ in range(N_KILLS):
        if not (due := project.jobs()):
            assert_same(project, finished)
            start_over(project)
            due = project.jobs()
        paths = [path for rule in rules if rule["name"] in due for path in (rule["script"], *rule["outputs"])]
        possible = sorted({Path(path).name for path in paths if path.endswith((".py", ".parquet", ".png"))})
        kill(project, moments, chosen.choice(possible), chosen.choice(WAYS))
    project.snakemake("--cores", "2")
    assert_same(project, finished)
    assert files(project) == files(finished)


def start_over(project):
    """Forget everything but the trained model."""
    results = project.folder / "results/test"
    for path in (results / "tables").iterdir():
        if path.name not in TRAINING:
            path.unlink()
    for folder in ("figures", "parts"):
        shutil.rmtree(results / folder)
