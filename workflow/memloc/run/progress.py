"""Progress of a long rule: now and then a line with a bar, the rate and the time that is left.

Lines stay readable where several rules run at a time, on a terminal and in a log.
"""

import time

from tqdm import tqdm

from memloc.run.rule import log

SECONDS = 10.0  # between two lines
DONE = "|{bar:20}| {n_fmt} of {total_fmt}{unit}"
RATE = ", {rate_noinv_fmt}, {remaining} left"


class Progress:
    """Counts the items done of `total` and logs them, at most every few seconds and at the end.

    The rate is measured from the first call on, without the warm-up and without items of an earlier run.
    """

    def __init__(self, total: int, unit: str) -> None:
        self._total, self._unit, self._done = total, f" {unit}", 0
        self._first: tuple[int, float] | None = None
        self._told = time.monotonic()

    def advance(self, n: int = 1, about: str = "") -> None:
        """Count `n` more items as done; the line ends with `about`."""
        self.at(self._done + n, about)

    def at(self, done: int, about: str = "") -> None:
        """Set the number of items done; the line ends with `about`."""
        now, self._done = time.monotonic(), done
        if self._first is None:
            self._first = done, now
        if done < self._total and now - self._told < SECONDS:
            return
        self._told = now
        initial, begin = self._first
        shown = DONE + RATE if done > initial and now > begin else DONE
        line = tqdm.format_meter(
            done, self._total, now - begin, unit=self._unit, bar_format=shown, initial=initial, ascii=True
        )
        line = line.replace(",  ", ", ")  # rates below ten come with a space
        log(f"{line}; {about}" if about else line)
