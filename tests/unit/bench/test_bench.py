"""The benchmark's own tools: work by formula, sides that take turns, comparisons, goals."""

import os
import signal
import time
from functools import partial
from itertools import cycle
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import DynamicCache

from memloc.bench import measure, page, run, stages, subject
from memloc.bench.measure import BenchError
from memloc.bench.work import Shape
from memloc.model import training
from memloc.resources.rate import peak_rate
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


@pytest.mark.parametrize(("libraries", "fastest"), [(1, 2), (2, 1)])
def test_a_rate_is_that_of_the_fastest_product(monkeypatch, libraries, fastest):
    """A product of two matrices of 100 rows takes two million operations."""
    seconds, types = cycle([0, 4, 10, 13, 20, 22, 30, 35, 40, 41, 50, 53]), []
    monkeypatch.setattr("memloc.resources.rate.time.perf_counter", lambda: next(seconds))
    monkeypatch.setattr("memloc.resources.rate.onednn.available", lambda: libraries == 2)
    for product in ("torch.matmul", "memloc.resources.rate.onednn.product"):
        monkeypatch.setattr(product, lambda left, right: types.append((left.dtype, right.dtype)))
    assert peak_rate(torch.bfloat16, sizes=(100,)) == pytest.approx(2e6 / 1e9 / fastest)
    assert types == [(torch.bfloat16, torch.bfloat16)] * 3 * libraries


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
    assert 0.1 <= found["small"].seconds < 2, "of a loaded machine, too"
    processes = {found[name].results["process"].item() for name in found} | {os.getpid()}
    assert len(processes) == 3


class Replayed:
    """A side whose runs have taken these seconds and megabytes."""

    ended: ClassVar = []

    def __init__(self, name, runs):
        self.left = iter(runs)

    def run(self):
        return measure.Measured(*next(self.left), {})

    def close(self):
        self.ended.append(next(self.left, None))


def test_times_are_medians_and_memory_is_the_most_of_the_runs_after_the_first(monkeypatch):
    monkeypatch.setattr(measure, "Side", Replayed)
    runs = {"fast": [(9, 800), (1, 300), (8, 200), (3, 200)], "plain": [(4, 50), (6, 50), (5, 90), (60, 50)]}
    found = measure.take_turns(runs, repeats=3)
    assert {name: side[:2] for name, side in found.items()} == {"fast": (3, 300), "plain": (6, 90)}
    assert measure.once("alone", [(5, 60)]) == {}
    assert Replayed.ended == [None] * 3, "all sides, when nothing is left to run"


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


def row_of(stage, **results):
    """Row of a stage that found something in 200 items, where the straightforward side has an NLL of two."""
    fast = subject.Stage(prepare=None, n_items=200, gflop=lambda found: 40.0)
    comparison = subject.Comparison("paragraph", None, 50, slice(0, 2), {stage: fast})
    found = {
        stage: measure.Measured(4.0, 900.0, {name: np.array(values) for name, values in results.items()}),
        "plain": measure.Measured(3.0, 500.0, {"nll": np.array([1.0, 2.0])}),
    }
    lengths = SimpleNamespace(n_tokens=100, n_prefix=60)
    return run._row(lengths, comparison, stage, found, {"float32": np.array(20.0)})


def test_a_ratio_is_of_the_time_that_an_item_takes():
    """The straightforward side does fewer items where it is slow."""
    row = row_of("scoring", nll=[1.0, 2.0, 3.0])
    assert row["ratio"] == pytest.approx((3.0 / 50) / (4.0 / 200))
    assert (row["peak_share"], row["difference"]) == (0.5, 0) and np.isnan(row["matched"])
    assert (row["memory_fast"], row["memory_plain"]) == (900, 500)
    assert row_of("scoring", nll=[1.0, 2.0], em=[40, 39, 0, 40])["matched"] == 0.5


@pytest.mark.parametrize(
    ("stage", "second", "told"),
    [("scoring", 2.01, "0.005, more than 0.001"), ("scoring", np.nan, "nan"), ("editing_step", 2.1, "0.05")],
)
def test_sides_that_find_something_else_are_an_error(stage, second, told):
    """Weights after steps may differ by more than rounding."""
    with pytest.raises(BenchError, match=f"{stage}: results differ by {told}"):
        row_of(stage, nll=[1.0, second])
    assert row_of("editing_step", nll=[1.0, 2.02])["difference"] == pytest.approx(0.01)


def test_every_stage_of_a_comparison_takes_turns_with_the_straightforward_side(monkeypatch):
    """As often as asked for; its share of the peak is that of its type of numbers."""
    stages = {
        name: subject.Stage(name, 1, lambda found: 6.0, dtype)
        for name, dtype in (("single", "float32"), ("half", "bfloat16"))
    }
    compared = subject.Comparison("text", "plainly", 1, slice(None), stages)
    asked, told = [], []

    def take_turns(sides, repeats):
        asked.append((sides, repeats))
        return {name: measure.Measured(2.0, 9.0, {"em": np.array([1])}) for name in sides}

    monkeypatch.setattr(run.measure, "take_turns", take_turns)
    monkeypatch.setattr(run.measure, "once", lambda name, prepare: prepare()())
    monkeypatch.setattr(run, "peak_rate", {torch.float32: 10.0, torch.bfloat16: 30.0}.get)
    monkeypatch.setattr(run, "RUNS", {"any": lambda bench, own: compared})
    bench = SimpleNamespace(sizes=SimpleNamespace(repeats=4), n_tokens=100, n_prefix=50)
    frame = run.compare(bench, ["any"], None, told.append)
    assert asked == [({"single": "single", "half": "half", "plain": "plainly"}, 4)]
    assert frame[["stage", "item", "peak_share"]].to_numpy().tolist() == [
        ["single", "text", 0.3],
        ["half", "text", 0.1],
    ]
    assert told == [f"{name}: 2.00 s, straightforwardly 2.00 s" for name in stages]


def test_growth_is_measured_with_ever_more_paragraphs(monkeypatch):
    def take_turns(sides, repeats):
        return {name: measure.Measured(prepare() / 2, 7.0, {}) for name, prepare in sides.items()}

    monkeypatch.setattr(run.measure, "take_turns", take_turns)
    monkeypatch.setattr(run, "_random_scores", lambda bench, n_paragraphs: n_paragraphs)
    frame = run.growth(SimpleNamespace(sizes=SimpleNamespace(n_growth=3)), report=str)
    assert frame["n_paragraphs"].tolist() == [3, 6, 12, 24]
    assert frame["seconds"].tolist() == [1.5, 3, 6, 12] and frame["memory"].tolist() == [7] * 4


def test_a_machine_is_described_in_cores_and_gibibytes(monkeypatch):
    monkeypatch.setattr(os, "sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 3 * 2**18}.get)
    monkeypatch.setattr(os, "cpu_count", lambda: 5)
    found = run.machine()
    assert (found["cores"], found["memory_gb"]) == (5, 3) and found["processor"]
