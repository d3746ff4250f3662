"""Locks of Snakemake that a killed run has left are removed, and those of a living one are respected."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from memloc.run import killed, rule

RUN = """
import sys
from pathlib import Path
from memloc.run import killed
for name in sys.argv[1:]:
    (killed.NOTES / name).write_text("a")
killed.record(local=False)
{jobs}
print("runs", flush=True)
sys.stdin.read()
"""
LIBRARY = {"PYTHONPATH": str(Path(killed.__file__).parents[2])}
NAMES = ("0.input.lock", "0.output.lock")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty working folder of Snakemake."""
    monkeypatch.chdir(tmp_path)
    killed.NOTES.mkdir(parents=True)


@pytest.fixture
def start():
    """Starts a run that makes some notes, or a job; it does nothing until it is killed."""
    runs = []

    def started(*names, jobs="", code=RUN):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        command = [sys.executable, "-c", code.replace("{jobs}", jobs), *names]
        runs.append(subprocess.Popen(command, env=os.environ | LIBRARY, **pipes))
        assert runs[-1].stdout.readline() == b"runs\n"
        return runs[-1]

    yield started
    for run in runs:
        run.kill()
        run.communicate()


def kill(run):
    run.send_signal(signal.SIGKILL)
    run.wait()


def left():
    return [path.name for path in sorted(killed.NOTES.iterdir())]


def test_locks_of_killed_runs_are_removed_when_no_other_lives(start):
    first, second = start(*NAMES), start("1.input.lock")
    kill(first)
    assert not killed.remove_notes() and left() == [*NAMES, "1.input.lock"]
    kill(second)
    assert killed.remove_notes() and left() == []
    assert not killed.remove_notes()


@pytest.mark.parametrize("name", ["0.input.lock", "1.input.lock"])
def test_a_lock_that_was_made_after_the_killed_run_stays(start, name):
    """Such as that of another workflow, or of a run that has not recorded it yet."""
    kill(start(*NAMES))
    path = killed.NOTES / name
    path.unlink(missing_ok=True)
    path.write_text("a")
    os.utime(path, ns=(5, 5))
    assert not killed.remove_notes() and name in left()


def test_locks_of_another_machine_stay(start):
    kill(start(*NAMES))
    _, notes = json.loads(killed.RECORD.read_text())
    killed.RECORD.write_text(json.dumps(["another", notes]))
    assert not killed.remove_notes() and left() == [*NAMES]


@pytest.mark.parametrize("content", ["", "[", None])
def test_locks_without_a_whole_record_stay(content):
    (killed.NOTES / NAMES[0]).write_text("a")
    if content is not None:
        killed.RECORD.write_text(content)
    assert not killed.remove_notes() and left() == [NAMES[0]]


def test_jobs_that_a_killed_run_has_left_do_not_hold_its_locks(start):
    """Neither those that it started nor those that it forked; they end with the test."""
    jobs = """
import os, subprocess
subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], close_fds=False)
if not os.fork():
    sys.stdin.read()
    os._exit(0)
"""
    kill(start(*NAMES, jobs=jobs))
    assert killed.remove_notes() and left() == []


JOB = """
import sys
from types import SimpleNamespace
from memloc.run.rule import start
start(SimpleNamespace(threads=1, log=["job.log"], rule="job", resources={}))
print("runs", file=sys.__stdout__, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def job(start):
    """A job that does nothing until it is ended."""
    return start(code=JOB)


def n_ended(local=True):
    """How many jobs a new run ends."""
    code = f"from memloc.run import killed; print(killed.record(local={local}))"
    command = [sys.executable, "-c", code]
    return int(subprocess.run(command, env=os.environ | LIBRARY, stdout=subprocess.PIPE, check=True).stdout)


def test_a_job_that_a_killed_run_has_left_is_ended(job):
    assert n_ended() == 1
    assert job.wait() == -signal.SIGTERM and "ended from outside by SIGTERM" in Path("job.log").read_text()
    assert n_ended() == 0


def test_jobs_are_not_ended_while_another_run_lives(job, start):
    start(*NAMES)
    assert n_ended() == 0 and job.poll() is None


def test_jobs_of_a_cluster_and_of_another_machine_go_on(job):
    assert n_ended(local=False) == 0
    (file,) = rule.LOCKS.iterdir()
    file.write_text(f"{job.pid} another")
    assert n_ended() == 0 and job.poll() is None
