"""What an estimate is for: this machine, measured or by its data sheet, and the models of a study."""

import runpy
import time
from itertools import cycle
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import torch
import yaml

from memloc.model import onednn
from memloc.resources import cost, estimate, rate
from memloc.resources.cost import Machine
from memloc.run.steps import Step
from memloc.settings.study import Settings

SIZES = Path(__file__).parents[3] / "config/sizes.yaml"


def step(name, study="results/x"):
    return Step(name, "", "", ["nowhere"], [f"{study}/{name}"], f"{study}/benchmarks/{name}.tsv")


def test_this_machine_is_measured_with_one_thread(monkeypatch, capsys):
    """By a process of its own, which here is this one."""

    def run(command, **options):
        runpy.run_module(command[-1], run_name="__main__")
        return SimpleNamespace(stdout=capsys.readouterr().out)

    n_threads, seconds = [], iter([10, 14.5])
    monkeypatch.setattr(estimate.subprocess, "run", run)
    monkeypatch.setattr(torch, "set_num_threads", n_threads.append)
    monkeypatch.setattr(rate, "peak_rate", lambda dtype, sizes: 120.5)
    monkeypatch.setattr(onednn, "native_bfloat16", lambda device: False)
    monkeypatch.setattr(time, "perf_counter", lambda: next(seconds))
    assert estimate.this_machine(4) == Machine("this machine", 120.5, 4.5, 4, bfloat16=False)
    assert n_threads == [1]


@pytest.mark.parametrize(("libraries", "fastest"), [(1, 2), (2, 1)])
def test_a_rate_is_that_of_the_fastest_product(monkeypatch, libraries, fastest):
    """A product of two matrices of 100 rows takes two million operations."""
    seconds, types = cycle([0, 4, 10, 13, 20, 22, 30, 35, 40, 41, 50, 53]), []
    monkeypatch.setattr(rate.time, "perf_counter", lambda: next(seconds))
    monkeypatch.setattr(rate.onednn, "available", lambda: libraries == 2)
    for library in (torch, onednn):
        name = "matmul" if library is torch else "product"
        monkeypatch.setattr(library, name, lambda left, right: types.append((left.dtype, right.dtype)))
    assert rate.peak_rate(torch.bfloat16, sizes=(100,)) == pytest.approx(2e6 / 1e9 / fastest)
    assert types == [(torch.bfloat16, torch.bfloat16)] * 3 * libraries


def test_a_summary_says_that_a_machine_was_never_measured():
    frame = pd.DataFrame({"rule": ["scores"], "machine": "any", "jobs": 1, "threads": 1, "seconds": 60.0})
    frame = frame.assign(memory_mb=2000, gpu_mb=1, disk_mb=500.0)
    first, *_ = estimate.summary([step("scores")], frame, cost.NAMED["h100"]).splitlines()
    assert first.startswith("NVIDIA H100 (by its data sheet, never measured), 8 cores, 1 rules")


def test_every_model_of_a_study_has_its_own_shape():
    """What belongs to no one model is taken for the first one's."""
    sizes = Settings.model_validate(yaml.safe_load(SIZES.read_text()))
    steps = [step("model", f"results/sizes/{name}") for name in sizes.models]
    found = estimate.studies(steps, "results/sizes", sizes)
    shapes = {name: (shape.n_layers, shape.width) for name, (shape, _) in found.items()}
    of_models = {"w192": (3, 192), "w256": (4, 256), "w320": (5, 320)}
    assert shapes == {f"results/sizes/{name}": shape for name, shape in of_models.items()} | {
        "results/sizes": (3, 192)
    }
    assert {name: each.study for name, (_, each) in found.items()} == {
        name: name.removeprefix("results/") for name in shapes
    }
