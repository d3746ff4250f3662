"""What a killed run of Snakemake leaves in its working folder: its locks, and jobs that live on.

Snakemake locks the files of a run by notes in that folder, and after `kill -9` nobody removes them. So a run
keeps a record of the notes, and a lock of the kernel on this record, which ends with its process, however it
ends. If no run of this machine holds it, notes of the record are removed, and jobs that still run are ended.

Both this lock and those of jobs are POSIX locks: a process that is started or forked does not share them.
"""

import fcntl
import json
import os
import platform
import signal
from contextlib import suppress
from pathlib import Path

from memloc.run.rule import LOCKS

RECORD, NOTES = Path(".snakemake/memloc-run"), Path(".snakemake/locks")


def remove_notes() -> bool:
    """Remove the notes of runs that were killed, if no run is alive, and no note is of another origin."""
    with suppress(OSError, ValueError), RECORD.open("r+") as file:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        (machine, known), found = json.load(file), _notes()
        if found and machine == platform.node() and all(note in known for note in found):
            for name, *_ in found:
                (NOTES / name).unlink()
            return True
    return False


def _notes() -> list[list]:
    """Name, number and time (ns) of every note: another one of the same name is another note."""
    found = ((path.name, path.stat()) for path in sorted(NOTES.glob("*.lock")))
    return [[name, stat.st_ino, stat.st_mtime_ns] for name, stat in found]


def record(local: bool) -> int:
    """Record that this process is a run, and the notes of all runs, until it ends.

    Returns:
        How many jobs of killed runs were ended. Their outputs would be made again in any case. Only a `local`
        run does so: jobs of a cluster go on.
    """
    n_ended, number = 0, os.open(RECORD, os.O_RDWR | os.O_CREAT, 0o666)  # stays open
    with suppress(OSError):  # where the file system has no locks, there is no record
        with suppress(BlockingIOError):
            fcntl.lockf(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            n_ended = sum(map(_end, LOCKS.glob("*"))) if local else 0
        fcntl.lockf(number, fcntl.LOCK_SH)
        os.truncate(number, 0)
        os.pwrite(number, json.dumps([platform.node(), _notes()]).encode(), 0)
    return n_ended


def _end(job: Path) -> bool:
    """End the process that locks the file of a job, if there is one on this machine."""
    process, _, machine = job.read_text().partition(" ")
    with job.open("r+") as file, suppress(ProcessLookupError, PermissionError):
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if machine == platform.node():
                os.kill(int(process), signal.SIGTERM)
                return True
    return False
