"""Time and peak memory of two implementations that take turns, each in its own process.

A process is forked for each side, so that no side finds the other's memory, caches or loaded model. Sides
take turns, run by run, so that a machine that slows down slows both. Processes that wait use no processor.
"""

import multiprocessing
import os
import resource
import signal
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import NamedTuple

import numpy as np

Results = dict[str, np.ndarray]
"""Name -> one value per item, or several."""
Prepare = Callable[[], Callable[[], Results]]
"""Loads model and texts of a side, which is not timed, and returns the work to be timed."""
# Linux counts kibibytes, macOS bytes.
PEAK_UNIT = 2**20 if sys.platform == "darwin" else 2**10
PATIENCE = 5.0  # seconds after which a waiting side checks that its parent still runs


class BenchError(RuntimeError):
    """A side failed, or the two sides differ."""


class Measured(NamedTuple):
    """Time of a side's work, the peak memory of its process so far, and its results."""

    seconds: float
    memory_mb: float
    results: Results


class Side:
    """A forked process that does one side's work on request."""

    def __init__(self, name: str, prepare: Prepare) -> None:
        context = multiprocessing.get_context("fork")
        self._name = name
        self._connection, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(other, prepare, os.getpid()), daemon=True)
        self._process.start()
        other.close()

    def run(self) -> Measured:
        """Do the work once.

        Raises:
            BenchError: it failed; its traceback is in the log.
        """
        try:
            self._connection.send(None)
            return self._connection.recv()
        except (EOFError, BrokenPipeError, ConnectionResetError):
            self._process.join()
            code = self._process.exitcode
            reason = "killed, perhaps for want of memory" if code == -signal.SIGKILL else f"status {code}"
            raise BenchError(f"{self._name} ended: {reason}") from None

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.join()


def _serve(connection: Connection, prepare: Prepare, parent: int) -> None:
    work = prepare()
    while True:
        while not connection.poll(PATIENCE):
            if os.getppid() != parent:  # the parent was killed
                return
        connection.recv()
        begin = time.perf_counter()
        results = work()
        seconds = time.perf_counter() - begin
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / PEAK_UNIT
        connection.send(Measured(seconds, memory, results))


def take_turns(sides: Mapping[str, Prepare], repeats: int) -> dict[str, Measured]:
    """Run every side once to warm up, then `repeats` times in turn.

    Times are medians of these runs, memory is their largest, results are those of the first run.

    Raises:
        BenchError: a side failed.
    """
    processes = {name: Side(name, prepare) for name, prepare in sides.items()}
    try:
        first = {name: side.run() for name, side in processes.items()}
        rounds = [{name: side.run() for name, side in processes.items()} for _ in range(repeats)]
    finally:
        for side in processes.values():
            side.close()
    return {
        name: Measured(
            statistics.median(runs[name].seconds for runs in rounds),
            max(runs[name].memory_mb for runs in rounds),
            first[name].results,
        )
        for name in sides
    }


def difference(fast: Results, plain: Results, chosen: np.ndarray | slice) -> float:
    """Largest difference between the sides, over the results that both have and the items that both did.

    The difference of whole numbers is the share of items that differ. The difference of other numbers is
    relative to the largest one.
    """
    found = [0.0]
    for name in fast.keys() & plain.keys():
        left, right = fast[name][chosen], plain[name]
        if np.issubdtype(right.dtype, np.integer):
            found.append(float((left != right).mean()))
        else:
            found.append(float(np.abs(left - right).max() / np.abs(right).max()))
    return float(np.max(found))  # unlike `max`, it keeps a NaN
