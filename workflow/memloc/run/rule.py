"""The start of every script: log to the rule's file and the console, and take the rule's GPUs.

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
import re
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial
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
LOGS_ONLY = "MEMLOC_LOGS_ONLY"  # a variable; where it is set, jobs write to their logs and not to the console
LOCKS = Path(".snakemake/memloc-jobs")  # locks of jobs in this folder; each holds a process and its machine

Explanation = Callable[[BaseException], BaseException]


class Tee:
    """A text stream that writes to several streams."""

    def __init__(self, *streams: TextIO) -> None:
        self.streams = streams

    def write(self, text: str) -> int:
        """Write to every stream at once, so that a killed job leaves its log."""
        for stream in self.streams:
            with suppress(OSError):  # if a full disk takes no log, the console is needed all the more
                stream.write(text)
                stream.flush()
        return len(text)

    def flush(self) -> None:
        """Do nothing: every text was flushed when it was written."""

    def isatty(self) -> bool:
        """False, so that progress bars print lines that are readable in a log."""
        return False


def start(snakemake: Any, explained: Explanation | None = None) -> None:
    """Begin the script of a rule: log to file and console, and choose GPUs before torch is imported.

    An uncaught error that the user can cause ends log and console with one line; its traceback is in the log
    only. `explained` gives the user's error that is behind another error, if one is. The script of a killed
    Snakemake keeps running; a new start of the same job waits for its end.
    """
    os.environ.update(QUIET | OFFLINE | WAITING)
    gc.set_threshold(10_000)  # imports make objects that stay; the search for garbage took half the time
    file = _own_log(Path(snakemake.log[0]))
    shown = LOGS_ONLY not in os.environ
    sys.stdout, sys.stderr = (Tee(file, *[each] * shown) for each in (sys.stdout, sys.stderr))
    sys.excepthook = partial(_report, file, explained)
    signal.signal(signal.SIGTERM, _end)
    atexit.register(log_peak_memory)
    python = platform.python_version()
    log(f"rule {snakemake.rule}, {snakemake.threads} threads, Python {python}, process {os.getpid()}")
    if gpus := gpu_locks.claim_gpus(snakemake.resources.get("gpu", 0)):
        log(f"GPU {', '.join(gpus)}")


def _report(
    file: TextIO,
    explained: Explanation | None,
    _: type[BaseException],
    raised: BaseException,
    trace: TracebackType | None,
) -> None:
    """Log an uncaught error. If the user can mend it, the console gets the message and not the traceback."""
    atexit.unregister(log_peak_memory)
    error = explained(raised) if explained else raised
    full = isinstance(error, OSError) and error.errno == errno.ENOSPC
    known = full or isinstance(error, UserError)
    with suppress(OSError):  # a full disk takes no log
        traceback.print_exception(type(raised), raised, trace, file=file if known else sys.stderr)
    if full:
        log(f"{error}: the disk is full. Free some space and start again: what is complete is kept.")
    elif known:
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
    return path.open("w", encoding="utf-8")


def log_peak_memory() -> None:
    """Log the peak memory of this process, which the samples of a benchmark file may miss. Linux only."""
    with suppress(OSError):
        if found := re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text()):
            log(f"peak memory {int(found[1]) // 2**10} MiB")


def log(text: str) -> None:
    """Print a line with the time of day."""
    print(f"[{time.strftime('%H:%M:%S')}] {text}", flush=True)
