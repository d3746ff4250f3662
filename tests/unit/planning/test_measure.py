"""The speed of this machine: of a random model that has as many weights as the study's."""

import json
from types import SimpleNamespace

import pytest
import torch
from made_configs import study

from memloc.planning import estimate, measure
from memloc.settings.study import Settings


def test_each_kind_has_its_time_per_weight_and_paragraph_of_the_second_run(monkeypatch):
    """In micro-batches of eight small paragraphs."""
    settings = study("test", loading={"device": "cpu"})
    times = iter([0, 100, 200, 203, 300, 310, 320, 325, 400, 410, 420, 427])
    monkeypatch.setattr(measure.time, "process_time", lambda: next(times))
    width, n_layers = 64, 1  # the nearest to 40,000 weights
    n_timed = 12 * n_layers * width**2 + width * settings.data.vocabulary
    found = measure.measured(40_000, settings)["cpu"]
    took = {kind: seconds * 8 * n_timed for kind, seconds in found.items()}
    assert took == pytest.approx({"score": 3, "gradients": 5, "edit": 7}, rel=0.05)


def test_edits_are_timed_in_single_precision_and_passes_as_models_are_loaded(monkeypatch):
    seen = {}

    def told(kind):
        def run(subject, tokens):
            seen[kind] = subject.model.dtype, tuple(tokens.shape)

        return run

    monkeypatch.setattr(measure, "KINDS", {kind: told(kind) for kind in measure.KINDS})
    measure.measured(40_000, study("test", loading={"device": "cpu", "dtype": "bfloat16"}))
    shape, half = (8, 100), torch.bfloat16
    assert seen == {"score": (half, shape), "gradients": (half, shape), "edit": (torch.float32, shape)}


def test_a_process_of_its_own_measures(monkeypatch):
    """It gets the number of weights and the settings as JSON, and prints the speed."""
    settings, asked = study("test"), []

    def run(command, input, **_):
        assert command[-1] == measure.__name__
        asked.append(json.loads(input))
        return SimpleNamespace(stdout='a warning\n{"cpu": {"score": 2.5e-9}}\n')

    monkeypatch.setattr(estimate.subprocess, "run", run)
    assert estimate.speed(5e6, settings) == {"cpu": {"score": 2.5e-9}}
    n_weights, whole = asked[0]
    assert n_weights == 5e6 and Settings.model_validate(whole) == settings
