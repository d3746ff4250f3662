"""Ways to kill a run: one of its scripts, Snakemake alone, everything at once, everything before a rename."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import DEVNULL, Popen

from projects import Project

# Imported by every Python process of a run: ends the run, in place of the n-th of its renames.
DIE_AT_RENAME = """
import os, signal
replace = os.replace
def die_or_replace(source, target, **options):
    if ".partial-" in os.fspath(source):
        counter = os.open(os.environ["RENAMES"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(counter, b".")
        if os.fstat(counter).st_size == int(os.environ["DIE_AT"]):
            os.killpg(os.getpgrp(), signal.SIGKILL)
    replace(source, target, **options)
os.replace = die_or_replace
"""


@contextmanager
def running(project: Project, *arguments: str, environment: dict[str, str] | None = None) -> Iterator[Popen]:
    """A Snakemake that has locked its folder, or found nothing to do; at the end it is killed with its jobs.

    As in a power cut, no process of the run gets a chance to tidy up.
    """
    console = project.folder / "console.txt"
    with console.open("w") as file:
        process = project.start(*arguments, console=file, environment=environment)
    try:
        until(process, lambda: locked(project))
        assert process.poll() in (None, 0, -signal.SIGKILL), console.read_text()
        yield process
    finally:
        kill_everything(process)


def until(process: Popen, happens: Callable[[], object]) -> None:
    """Wait until something happens, or the run has ended."""
    while process.poll() is None and not happens():
        time.sleep(0.1)


def locked(project: Project) -> bool:
    """Whether a run holds its lock: that of outputs is written last, and an empty one locks nothing."""
    with suppress(FileNotFoundError):  # the run may take its lock back meanwhile
        locks = (project.folder / ".snakemake/locks").glob("*.output.lock")
        return any(lock.stat().st_size > 0 for lock in locks)
    return False


def kill_everything(process: Popen) -> None:
    """Kill Snakemake and all jobs that it started."""
    with suppress(ProcessLookupError):  # it may have ended before
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def scripts(project: Project) -> list[int]:
    """Process ids of the project's running scripts."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (process / "cmdline").read_bytes().decode(errors="replace")
            if f"{project.folder}/.snakemake/scripts/" in command and "python" in command.split("\0")[0]:
                found.append(int(process.name))
    return found


def wait_for_script(project: Project, seconds: float = 120) -> int:
    """Process id of a running script of the project, as soon as there is one."""
    deadline = time.monotonic() + seconds
    while not (found := scripts(project)):
        if time.monotonic() > deadline:
            raise TimeoutError(f"no script of {project.folder} was started")
        time.sleep(0.1)
    return found[0]


def wait_for_scripts(project: Project, process: Popen, n: int) -> None:
    """Wait until `n` scripts of the project have been seen, or its run has ended."""
    seen: set[int] = set()

    def enough() -> bool:
        seen.update(scripts(project))
        return len(seen) >= n

    until(process, enough)


def everything(project: Project, moments: random.Random, most: int, targets: Sequence[str]) -> bool:
    """Kill Snakemake and its jobs when one of the first `most` scripts starts; whether there was one."""
    with running(project, "--cores", "2", *targets) as process:
        wait_for_scripts(project, process, moments.randint(1, most))
        return process.poll() is None


def everything_before_a_rename(
    project: Project, moments: random.Random, most: int, targets: Sequence[str]
) -> bool:
    """Kill Snakemake and its jobs when one has written a file and not yet given it its name."""
    hook = project.folder / "hook"
    hook.mkdir(exist_ok=True)
    (hook / "sitecustomize.py").write_text(DIE_AT_RENAME)
    (hook / "renames").unlink(missing_ok=True)
    die_at = {"PYTHONPATH": str(hook), "RENAMES": str(hook / "renames"), "DIE_AT": str(moments.randint(1, 6))}
    with running(project, "--cores", "2", *targets, environment=die_at) as process:
        return process.wait() == -signal.SIGKILL


def snakemake_alone(project: Project, moments: random.Random, most: int, targets: Sequence[str]) -> bool:
    """Kill Snakemake when a script starts, which lives on and meets those of the next run."""
    process = project.start("--cores", "2", *targets, console=DEVNULL)
    wait_for_scripts(project, process, moments.randint(1, most))
    alive = process.poll() is None
    process.kill()
    process.wait()
    return alive


def one_script(project: Project, moments: random.Random, most: int, targets: Sequence[str]) -> bool:
    """Kill one running script; Snakemake reports it and ends."""
    with running(project, "--cores", "2", *targets) as process:
        wait_for_scripts(project, process, moments.randint(1, most))
        found: list[int] = []
        until(process, lambda: found.extend(scripts(project)) or found)
        if not found:
            return False
        with suppress(ProcessLookupError):
            os.kill(moments.choice(found), signal.SIGKILL)
        return process.wait() != 0


WAYS = (everything, one_script, snakemake_alone, everything_before_a_rename)
