"""Memory of pieces of work, with arrays of known size."""

import numpy as np
import pytest

from memloc.run import memory
from memloc.run.memory import MemoryWatch, peak_memory

MB = 2**20


def hold(n_bytes: int) -> None:
    np.ones(n_bytes, dtype=np.uint8).sum()


def test_a_watch_counts_what_was_taken_since_although_more_was_held_before():
    hold(300 * MB)
    watch = MemoryWatch()
    hold(100 * MB)
    hold(20 * MB)
    assert watch.taken() == pytest.approx(100 * MB, abs=10 * MB)


def test_small_pieces_that_were_freed_before_do_not_hide_what_is_taken():
    """The allocator keeps them, and would take new ones from there."""
    pieces = [np.ones(MB // 10, dtype=np.uint8) for _ in range(1000)]
    last = np.ones(MB // 10, dtype=np.uint8)
    del pieces
    watch = MemoryWatch()
    held = [last, *(np.ones(MB // 10, dtype=np.uint8) for _ in range(500))]
    assert watch.taken() == pytest.approx(50 * MB, abs=10 * MB) and len(held) == 501


def test_the_peak_of_the_process_outlives_a_watch():
    hold(200 * MB)
    before = peak_memory()
    MemoryWatch()
    assert peak_memory() == before >= 200 * MB


def test_nothing_is_said_where_the_system_says_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "_own", tmp_path / "none")
    assert peak_memory() is None and MemoryWatch().taken() is None
