"""Progress of a long rule: now and then a line in its log, with the time that is left."""

import time

from memloc.run.console import spoken
from memloc.run.rule import log

SECONDS = 5.0  # between two lines


class Progress:
    """Counts the items done of `total` and logs them, at most every few seconds and at the end.

    Time is measured from the first call on, without the warm-up and without items of an earlier run.
    """

    def __init__(self, total: int, unit: str) -> None:
        self._total, self._unit, self._done, self._told = total, unit, 0, time.monotonic()
        self._first: tuple[int, float] | None = None

    def advance(self, n: int = 1, about: str = "") -> None:
        """Count `n` more items as done; the line ends with `about`."""
        self.at(self._done + n, about)

    def at(self, done: int, about: str = "", most: int | None = None) -> None:
        """Set the number of items done; the line ends with `about`. `most` limits an unknown total."""
        self._done, now = done, time.monotonic()
        first, begin = self._first = self._first or (done, now)
        total, limit = (self._total, "") if most is None else (most, "at most ")
        if done == self._total > 0 or (done > first and now - self._told >= SECONDS):
            left = spoken((now - begin) * (total - done) / max(done - first, 1))
            log(f"{done} of {limit}{total} {self._unit}, {limit}{left} left{about and f'; {about}'}")
            self._told = now
