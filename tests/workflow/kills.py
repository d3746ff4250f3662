"""Moments of a run, at which one of its processes is held, and ways to kill the run then.

No clock says when: a test asks for a moment, waits until a process is there, and lets it go or kills it.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Any

from projects import Project

# Imported by every Python process of a run.
HOOK = """
import os, sys, time
folder, replace = os.environ["MOMENTS"], os.replace

def hold(moment):
    held = f"{folder}/{moment}.{os.getpid()}"
    try:
        os.rename(f"{folder}/{moment}", held)
    except OSError:
        return
    while os.path.exists(held):
        time.sleep(0.05)

def hold_and_replace(source, target, **options):
    if ".partial-" in os.fspath(source):
        for moment in os.fspath(target).split("/")[-2:]:
            hold(moment)
    replace(source, target, **options)

os.replace = hold_and_replace
hold(os.path.basename(sys.orig_argv[-1]).partition(".")[2])
"""


@dataclass(frozen=True)
class Moments:
    """A script's name is the moment of its start; a file's, or its folder's, that before it gets its name.

    The next process that comes to a moment that is asked for waits there.
    """

    folder: Path

    @staticmethod
    def of(project: Project) -> "Moments":
        """Those of runs of a project that get this environment."""
        folder = project.folder / "moments"
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(HOOK)
        return Moments(folder)

    @property
    def environment(self) -> dict[str, str]:
        return {"PYTHONPATH": str(self.folder), "MOMENTS": str(self.folder)}

    def ask(self, moment: str) -> None:
        """Hold the next process that comes there."""
        (self.folder / moment).touch()

    def held(self, moment: str, but: int | None = None) -> int | None:
        """Process id of who waits there, `but` for one."""
        found = [path.suffix[1:] for path in self.folder.glob(f"{moment}.*")]
        return next((int(end) for end in found if end.isdecimal() and int(end) != but), None)

    def release(self, moment: str) -> None:
        """Let go, or forget, who waits there."""
        (self.folder / f"{moment}.{self.held(moment)}").unlink()


@contextmanager
def running(project: Project, *arguments: str, environment: dict[str, str]) -> Iterator[Popen]:
    """A Snakemake that writes into console.txt; if it still runs at the end, it is killed with its jobs."""
    with (project.folder / "console.txt").open("w") as file:
        process = project.start(*arguments, console=file, environment=environment)
    try:
        yield process
    finally:
        if process.poll() is None:
            kill_everything(process)


def until(process: Popen, happens: Callable[[], Any]) -> Any:
    """Wait until something happens while a process runs, and say what."""
    while not (found := happens()):
        assert process.poll() is None, "it has ended before"
        time.sleep(0.1)
    return found


def kill_everything(process: Popen) -> None:
    """Kill Snakemake and all jobs that it started; as in a power cut, none gets a chance to tidy up."""
    with suppress(ProcessLookupError):  # it may have ended before
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def everything(process: Popen, moments: Moments, moment: str) -> None:
    """Kill Snakemake and its jobs."""
    kill_everything(process)
    moments.release(moment)


def snakemake_alone(process: Popen, moments: Moments, moment: str) -> None:
    """Kill Snakemake; the script lives on."""
    process.kill()
    process.wait()
    moments.release(moment)


def one_script(process: Popen, moments: Moments, moment: str) -> None:
    """Kill the script; Snakemake reports it and ends."""
    os.kill(moments.held(moment), signal.SIGKILL)
    moments.release(moment)
    assert process.wait() == 1


def one_script_by_sigterm(process: Popen, moments: Moments, moment: str) -> None:
    """End the script from outside; Snakemake reports it and ends."""
    os.kill(moments.held(moment), signal.SIGTERM)
    assert process.wait() == 1
    moments.release(moment)


def snakemake_by_sigterm(process: Popen, moments: Moments, moment: str) -> None:
    """Ask Snakemake to end; it waits for the script."""
    process.terminate()
    moments.release(moment)
    assert process.wait() == 1


WAYS = (everything, one_script, snakemake_alone, one_script_by_sigterm, snakemake_by_sigterm)
LEAVE_A_LOCK = (everything, snakemake_alone)
