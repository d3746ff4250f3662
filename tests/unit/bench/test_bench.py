"""The benchmark's own tools: work by formula, sides that take turns, comparisons, goals."""

import os
import time
from itertools import cycle
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import DynamicCache

from memloc.bench import measure, page, run, stages, subject
from memloc.bench.measure import BenchError
from memloc.bench.work import Shape, peak_rate
from memloc.model import training
from memloc.settings.bench import Bench
from memloc.settings.sections import sections

SHAPE = {"vocabulary": 96, "n_layers": 3, "n_heads": 4, "width": 32, "window": 64}


@pytest.fixture(scope="module")
def model():
    return training.new_model(**SHAPE, seed=0).eval()


def counted(model, tokens, **options):
    """GFLOP that torch counts; attention is counted as if every token attended to all of them."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(tokens, **options)
    return counter.get_total_flops() / 1e9


@pytest.mark.parametrize("n_tokens", [1, 9, 40])
def test_work_of_a_pass_is_what_torch_counts(model, n_tokens):
    shape = Shape(SHAPE["n_layers"], SHAPE["width"], SHAPE["vocabulary"])
    unseen = n_tokens * (n_tokens - 1) / 2  # pairs of tokens of which the first must not see the second
    causal = counted(model, torch.ones(1, n_tokens, dtype=torch.long)) - 3 * 4 * 32 * unseen / 1e9
    assert shape.layers(0, n_tokens) + shape.unembedding(n_tokens) == pytest.approx(causal)


def test_work_of_one_more_token_is_what_torch_counts(model):
    shape, cache = Shape(SHAPE["n_layers"], SHAPE["width"], SHAPE["vocabulary"]), DynamicCache()
    with torch.no_grad():
        model(torch.ones(1, 9, dtype=torch.long), cache=cache, use_cache=True)
    step = counted(model, torch.ones(1, 1, dtype=torch.long), cache=cache, use_cache=True)
    assert shape.layers(9, 10) + shape.unembedding(1) == pytest.approx(step)


def test_work_adds_up_over_positions_and_layers():
    shape = Shape(4, 8, 50)
    assert shape.layers(0, 30) == pytest.approx(shape.layers(0, 12) + shape.layers(12, 30))
    assert shape.layers(5, 30) == pytest.approx(4 * shape.layers(5, 30, 1))


def test_a_rate_is_positive():
    assert peak_rate(torch.float32, sizes=(64,)) > 0.01


def test_a_rate_is_that_of_the_fastest_product(monkeypatch):
    """A product of two matrices of 100 rows takes two million operations."""
    seconds = cycle([0, 4, 10, 13, 20, 22])
    monkeypatch.setattr("memloc.bench.work.time.perf_counter", lambda: next(seconds))
    monkeypatch.setattr("memloc.bench.work.onednn.available", lambda: False)
    assert peak_rate(torch.float32, sizes=(100,)) == pytest.approx(2e6 / 1e9 / 2)


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
    found = measure.take_turns({"large": sleeping(0.01, 300), "small": sleeping(0.1)}, repeats=2)
    assert found["small"].memory_mb + 200 < found["large"].memory_mb < found["small"].memory_mb + 400
    assert 0.09 < found["small"].seconds - found["large"].seconds + 0.01 < 0.3
    processes = {found[name].results["process"].item() for name in found} | {os.getpid()}
    assert len(processes) == 3


def test_a_side_that_fails_is_named():
    def prepare():
        raise MemoryError("too much")

    with pytest.raises(BenchError, match="large ended: status 1"):
        measure.take_turns({"large": prepare}, repeats=1)


def test_differences_of_numbers_are_relative_and_those_of_whole_numbers_are_counted():
    fast = {"em": np.array([3, 4, 5, 9]), "nll": np.array([1.0, 2.0, 4.0, 7.0]), "only": np.array([1])}
    assert measure.difference(fast, {"em": np.array([3, 4])}, slice(2)) == 0
    assert measure.difference(fast, {"em": np.array([5, 8])}, np.array([2, 3])) == 0.5
    assert measure.difference(fast, {"nll": np.array([1.0, 2.0, 4.0, 8.0])}, slice(None)) == 0.125
    assert measure.difference(fast, {"em": np.array([3]), "nll": np.array([1.1])}, [0]) == pytest.approx(
        1 / 11
    )


def test_a_value_that_is_none_is_no_agreement():
    both = {"nll": np.array([1.0, np.nan])}, {"nll": np.array([1.0, 2.0]), "em": np.array([3])}
    assert np.isnan(measure.difference(*both, slice(None)))


def test_diverted_texts_match_from_none_to_all():
    settings = sections({"paragraph": {"length": 12, "prefix": 4}})
    bench = subject.Bench("nowhere", Bench.model_construct(n_paragraphs=9, vocabulary=50), settings, 0)
    own = torch.arange(240).view(20, 12) % 50
    changed = stages.diverted(bench, own) != own[:9]
    assert [row.nonzero().flatten().tolist() for row in changed] == [[4 + n] for n in range(8)] + [[]]


def row(**values):
    return pd.Series(
        {"stage": "scoring", "ratio": 2.4, "peak_share": 0.71, "memory_plain": 9.0, "memory_fast": 3.0}
        | values
    )


def test_goals_say_whether_they_are_met():
    slower = [row(stage="parameter_gradients", ratio=1.0), row(stage="extraction", ratio=0.92)]
    frame = pd.DataFrame([row(), *slower])
    cells = {(goal.stage, goal.limit): page._goal_cells(goal, frame) for goal in page.GOALS}
    assert [cells["scoring", at]["met"] for at in (2.5, 0.7)] == ["no", "yes"]
    assert [cells["parameter_gradients", at]["met"] for at in (2, 1)] == ["yes", "yes"]
    assert cells["extraction", 1.1]["met"] == "yes" and cells["extraction", 1.1]["found"] == "1.09"
    assert cells["extraction", 1.1]["goal"].startswith("at most 1.1 times the time of")
    assert cells["patching", 30]["found"] == page.NO_ROW and cells["patching", 30]["met"] == ""


def test_a_goal_of_most_time_is_missed_above_it():
    (goal,) = (goal for goal in page.GOALS if goal.stage == "extraction")
    assert goal.met(goal.value(row(ratio=1 / 1.1 + 1e-6))) and not goal.met(goal.value(row(ratio=0.9)))


def test_a_ratio_is_of_the_time_that_an_item_takes():
    """The straightforward side does fewer items where it is slow."""
    stage = subject.Stage(prepare=None, n_items=200, gflop=lambda found: 40.0)
    comparison = subject.Comparison("paragraph", None, 50, slice(0, 2), {"scoring": stage})
    found = {
        "scoring": measure.Measured(4.0, 900.0, {"nll": np.array([1.0, 2.0, 3.0])}),
        "plain": measure.Measured(3.0, 500.0, {"nll": np.array([1.0, 2.0])}),
    }
    row = run._row(
        SimpleNamespace(n_tokens=100, n_prefix=50), comparison, "scoring", found, {"float32": np.array(20.0)}
    )
    assert row["ratio"] == pytest.approx((3.0 / 50) / (4.0 / 200))
    assert (row["peak_share"], row["difference"]) == (0.5, 0)
    assert (row["memory_fast"], row["memory_plain"]) == (900, 500)
