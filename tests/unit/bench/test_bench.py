"""The benchmark's own tools: sides that take turns, rows and growth."""

import os
import signal
import time
from functools import partial
from typing import ClassVar

import numpy as np
import pytest

from memloc.bench import measure, run, subject
from memloc.bench.measure import BenchError


def sleeping(seconds, megabytes=0):
    """A side that keeps so much memory and sleeps; its result says which process it is."""

    def prepare():
        kept = np.ones(megabytes * 2**17)

        def work():
            time.sleep(seconds)
            return {"process": np.array([os.getpid()]), "kept": kept[:1]}

        return work

    return prepare


def test_sides_are_processes_of_their_own_with_their_own_memory():
    found = measure.take_turns({"large": sleeping(0, 300), "small": sleeping(0.1)}, repeats=2)
    assert found["small"].memory_mb + 200 < found["large"].memory_mb < found["small"].memory_mb + 400
    assert found["small"].seconds >= 0.1
    processes = {found[name].results["process"].item() for name in found} | {os.getpid()}
    assert len(processes) == 3


class Replayed:
    """A side whose runs have taken these seconds and megabytes."""

    left_over: ClassVar = []

    def __init__(self, name, runs):
        self.left = iter(runs)

    def run(self):
        return measure.Measured(*next(self.left), {})

    def close(self):
        self.left_over.append(next(self.left, None))


def test_times_are_medians_and_memory_is_the_most_of_the_runs_after_the_first(monkeypatch):
    monkeypatch.setattr(measure, "Side", Replayed)
    runs = {"fast": [(9, 800), (1, 300), (8, 200), (3, 200)], "plain": [(4, 50), (6, 50), (5, 90), (60, 50)]}
    found = measure.take_turns(runs, repeats=3)
    assert {name: side[:2] for name, side in found.items()} == {"fast": (3, 300), "plain": (6, 90)}
    assert Replayed.left_over == [None] * 2


@pytest.mark.parametrize(
    ("fails", "reason"),
    [(partial(int, "x"), "status 1"), (partial(signal.raise_signal, signal.SIGKILL), "killed, perhaps for")],
)
def test_a_side_that_fails_is_named(fails, reason):
    with pytest.raises(BenchError, match=f"large ended: {reason}"):
        measure.take_turns({"large": fails}, repeats=1)


def test_differences_of_numbers_are_relative_and_those_of_whole_numbers_are_counted():
    fast = {"em": np.array([3, 4, 5, 9]), "nll": np.array([1.0, 2.0, 4.0, 7.0]), "only": np.array([1])}
    assert measure.difference(fast, {"em": np.array([3, 4])}, slice(2)) == 0
    assert measure.difference(fast, {"em": np.array([5, 8])}, np.array([2, 3])) == 0.5
    assert measure.difference(fast, {"nll": np.array([1.0, 2.0, 4.0, 8.0])}, slice(None)) == 0.125
    none = {"em": fast["em"], "nll": np.array([1.0, np.nan, 4.0, 7.0])}
    assert np.isnan(measure.difference(fast, none, slice(None)))


def row_of(stage, **results):
    """Row of a stage that found something in 200 items, where the straightforward side has an NLL of two."""
    comparison = subject.Comparison("paragraph", None, 50, slice(0, 2), {stage: subject.Stage(None, 200)})
    results = {name: np.array(values) for name, values in results.items()}
    found = {
        stage: measure.Measured(4.0, 900.0, results),
        "plain": measure.Measured(3.0, 500.0, {"nll": np.array([1.0, 2.0])}),
    }
    return run._row(comparison, stage, found)


def test_a_ratio_is_of_the_time_that_an_item_takes():
    """The straightforward side does fewer items where it is slow."""
    row = row_of("scoring", nll=[1.0, 2.0, 3.0])
    assert row["ratio"] == pytest.approx((3.0 / 50) / (4.0 / 200))
    assert (row["memory_fast"], row["memory_plain"], row["difference"]) == (900, 500, 0)


@pytest.mark.parametrize(
    ("stage", "second", "told"),
    [("scoring", 2.01, "0.005, more than 0.001"), ("scoring", np.nan, "nan"), ("editing_step", 2.1, "0.05")],
)
def test_sides_that_find_something_else_are_an_error(stage, second, told):
    """Weights after steps may differ by more than rounding."""
    with pytest.raises(BenchError, match=f"{stage}: results differ by {told}"):
        row_of(stage, nll=[1.0, second])
    assert row_of("editing_step", nll=[1.0, 2.02])["difference"] == pytest.approx(0.01)
