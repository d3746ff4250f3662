"""A run that is killed again and again ends with the tables of one that was not.

MEMLOC_KILLS and MEMLOC_SEED ask for more kills, or for others.
"""

import os
import random
import signal
import time
from contextlib import contextmanager, suppress

import pytest

from memloc import tables

KILLS = int(os.environ.get("MEMLOC_KILLS", 4))
SEED = int(os.environ.get("MEMLOC_SEED", 0))


@contextmanager
def running(project, *arguments):
    """A Snakemake that has locked its folder; at the end it is killed, and its jobs with it.

    As in a power cut, no process of the run gets a chance to tidy up.
    """
    console = project.folder / "console.txt"
    with console.open("w") as file:
        process = project.start(*arguments, console=file)
    try:
        while not any((project.folder / ".snakemake/locks").glob("*")):
            assert process.poll() is None, console.read_text()
            time.sleep(0.1)
        yield process
    finally:
        with suppress(ProcessLookupError):  # it may have ended before
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture(scope="module")
def killed(finished, own_clone):
    """A finished study whose run was killed at random moments; and how often it was."""
    project, moments = own_clone, random.Random(SEED)
    n_killed = 0
    for _ in range(KILLS):
        with running(project, "--cores", "2") as process:
            time.sleep(moments.uniform(1, 0.3 * finished.seconds))
            n_killed += process.poll() is None
        assert_whole(project)
        project.snakemake("--unlock")
    project.snakemake("--cores", "2")
    return project, n_killed


def assert_whole(project):
    """Whatever has the name of a table is one, however the run ended."""
    for path in (project.folder / "results/test/tables").glob("[!.]*.parquet"):
        tables.read(path.stem, path)


def test_the_run_was_killed(killed):
    _, n_killed = killed
    assert n_killed == KILLS


def test_tables_are_those_of_an_undisturbed_run(finished, killed):
    project, _ = killed
    expected = {path.name: path.read_bytes() for path in (finished.results / "tables").iterdir()}
    found = {
        path.name: path.read_bytes()
        for path in (project.folder / "results/test/tables").iterdir()
        if not path.name.startswith(".partial")
    }
    assert expected.keys() == found.keys()
    assert [name for name in expected if expected[name] != found[name]] == []


def test_plotted_numbers_and_captions_are_those_of_an_undisturbed_run(finished, killed):
    project, _ = killed
    for path in (finished.results / "figures").iterdir():
        if path.suffix in (".csv", ".rst"):
            assert (project.folder / "results/test/figures" / path.name).read_bytes() == path.read_bytes()


def test_nothing_is_left_to_do(killed):
    project, _ = killed
    assert project.jobs() == {}


def test_a_second_run_in_the_same_folder_is_refused(editable):
    (editable.results / "tables/perturbation.parquet").unlink()
    with running(editable, "--cores", "1"):
        output = editable.snakemake("--cores", "1", status=1)
    assert "cannot be locked" in output or "LockException" in output


def test_the_lock_of_a_killed_run_is_named_and_can_be_removed(editable):
    with running(editable, "--cores", "1", "--forcerun", "scores"):
        pass
    assert "--unlock" in editable.snakemake("--cores", "1", status=1)
    editable.snakemake("--unlock")
    editable.jobs()
