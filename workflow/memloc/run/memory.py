"""Peak memory of this process, and how much more than before a piece of its work takes. Linux only.

Resident memory is counted. The kernel keeps its peak, which can be set back.
"""

import ctypes
import re
from contextlib import suppress
from pathlib import Path

_own = Path("/proc/self")
_earlier = 0  # peak before it was set back


def peak_memory() -> int | None:
    """Most bytes that this process has held; None where the system does not say."""
    now = _bytes("VmHWM")
    return None if now is None else max(_earlier, now)


class MemoryWatch:
    """The peak from now on. What the process has freed is given back first: it would hide what is taken."""

    def __init__(self) -> None:
        global _earlier
        _earlier = peak_memory() or 0
        with suppress(OSError, AttributeError):  # another C library has no such function
            ctypes.CDLL(None).malloc_trim(0)
        try:
            (_own / "clear_refs").write_text("5")
            self._before = _bytes("VmRSS")
        except OSError:
            self._before = None

    def taken(self) -> int | None:
        """Most bytes held since the start, beyond those held then; None where the system does not say."""
        now = _bytes("VmHWM")
        return None if now is None or self._before is None else max(0, now - self._before)


def _bytes(field: str) -> int | None:
    with suppress(OSError):
        if match := re.search(rf"{field}:\s+(\d+) kB", (_own / "status").read_text()):
            return int(match[1]) * 2**10
    return None
