"""Progress of a long rule: now and then a line in its log, with the time that is left."""

import time

from memloc.run.console import spoken
from memloc.run.rule import log

SECONDS = 10.0  # between two lines


class Progress:
    """Counts the items done of `total` and logs them, at most every few seconds and at the end.

    Time is measured from the first call on, without the warm-up and without items of an earlier run.
    """

    def __init__(self, total: int, unit: str) -> None:
        self._total, self._unit, self._done = total, unit, 0
        self._first: tuple[int, float] | None = None
        self._told = time.monotonic()

    def advance(self, n: int = 1, about: str = "") -> None:
        """Count `n` more items as done; the line ends with `about`."""
        self.at(self._done + n, about)

    def at(self, done: int, about: str = "") -> None:
        """Set the number of items done; the line ends with `about`."""
        now, self._done = time.monotonic(), done
        first, begin = self._first = self._first or (done, now)
        if done < self._total and now - self._told < SECONDS:
            return
        self._told, line = now, f"{done} of {self._total} {self._unit}"
        if done > first:
            line += f", {spoken((now - begin) * (self._total - done) / (done - first))} left"
        log(f"{line}; {about}" if about else line)
