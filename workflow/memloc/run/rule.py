"""The start of every script: log to the rule's file, and take the rule's GPUs.

Snakemake itself sets the variables from which libraries read the number of threads.
"""

import atexit
import ctypes
import errno
import fcntl
import gc
import hashlib
import os
import platform
import signal
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, TextIO

from memloc.run import gpu_locks
from memloc.run.errors import UserError

QUIET = {
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_VERBOSITY": "error",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}
# Only the download rules may use the network; `data.hub` takes the hub's client online itself.
OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
# A thread that waits longer than this count sleeps and frees its core: where other processes run, too, models
# of two threads take half of the time. Libraries read it when they are imported.
WAITING = {"GOMP_SPINCOUNT": "10000"}
LOCKS = Path(".snakemake/memloc-jobs")  # locks of jobs in this folder; each holds a process and its machine


def start(snakemake: Any) -> None:
    """Begin the script of a rule: write to its log alone, and choose GPUs before torch is imported.

    An uncaught error that the user can cause ends the log with one line, which the run repeats at its end.
    The script of a killed Snakemake keeps running; a new start of the same job waits for its end.
    """
    os.environ.update(QUIET | OFFLINE | WAITING)
    spare_garbage()
    sys.stdout = sys.stderr = _own_log(Path(snakemake.log[0]))
    sys.excepthook = _report
    signal.signal(signal.SIGTERM, _end)
    python = platform.python_version()
    log(f"rule {snakemake.rule}, {snakemake.threads} threads, Python {python}, process {os.getpid()}")
    if gpus := gpu_locks.claim_gpus(snakemake.resources.get("gpu", 0)):
        log(f"GPU {', '.join(gpus)}")


def spare_garbage() -> None:
    """Search for garbage more rarely: what imports make stays. At the end, a search took a second."""
    gc.set_threshold(10_000)
    atexit.register(gc.freeze)


def _report(_: type[BaseException], raised: BaseException, trace: TracebackType | None) -> None:
    """Log an uncaught error, and if the user can mend it, what to do. A full disk takes no log."""
    error = raised
    if isinstance(raised, OSError) and raised.errno == errno.ENOSPC:
        full = f"{raised}: the disk is full. Free some space and start again: what is complete is kept."
        error = UserError(full)
        print(full, file=sys.__stderr__)
    with suppress(OSError):
        traceback.print_exception(type(raised), raised, trace)
        if isinstance(error, UserError):
            log(f"ERROR: {error}")


def _end(number: int, _: FrameType | None) -> None:
    """Log that a signal ends this process, and let it do so."""
    with suppress(RuntimeError):  # if it comes while another line is written
        name = signal.Signals(number).name
        log(f"ERROR: ended from outside by {name}; start again: what is complete is kept")
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def end_with_parent() -> None:
    """Let the kernel end this process, which another one has forked, when that one ends. Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def _own_log(path: Path) -> TextIO:
    """The emptied log file. The job is locked until this process ends, if the file system has locks."""
    # The lock is another file: Snakemake removes the log before a job starts, and a new file takes its name.
    lock = LOCKS / hashlib.sha256(str(path).encode()).hexdigest()
    lock.parent.mkdir(parents=True, exist_ok=True)
    number = os.open(lock, os.O_RDWR | os.O_CREAT)  # stays open
    with suppress(OSError):
        try:  # a POSIX lock, which a process that this one forks does not share
            fcntl.lockf(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            process, _, machine = os.pread(number, 999, 0).decode().partition(" ")
            log(f"this job still runs as process {process} on {machine}; waiting for its end")
            fcntl.lockf(number, fcntl.LOCK_EX)
        os.truncate(number, 0)
        os.pwrite(number, f"{os.getpid()} {platform.node()}".encode(), 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("w", encoding="utf-8", buffering=1)  # by lines, so that a killed job leaves them


def tell(text: str) -> None:
    """Print what somebody waits for: on the console, too."""
    log(text)
    print(text, file=sys.__stdout__, flush=True)


def log(text: str) -> None:
    """Print a line with the time of day: in the log of a rule."""
    print(f"[{time.strftime('%H:%M:%S')}] {text}", flush=True)
