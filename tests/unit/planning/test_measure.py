"""The speed of this machine: of a random model that has as many weights as the study's."""

import json
from functools import partial
from types import SimpleNamespace

import made_configs
import pytest

from memloc.planning import measure
from memloc.settings.study import Settings

study = partial(made_configs.study, "test")


def test_the_time_is_per_weight_and_paragraph_of_the_second_run(monkeypatch):
    """In micro-batches of eight small paragraphs."""
    times, settings = iter([0, 100, 200, 203]), study(loading={"device": "cpu"})
    monkeypatch.setattr(measure.time, "process_time", lambda: next(times))
    width, n_layers = 64, 1  # the nearest to 40,000 weights
    n_timed = 12 * n_layers * width**2 + width * settings.data.vocabulary
    assert measure.measured(40_000, settings) == {"cpu": pytest.approx(3 / 8 / n_timed, rel=0.05)}


def test_a_process_of_its_own_measures(monkeypatch):
    """It gets the number of weights and the settings as JSON, and prints the speed."""
    settings, asked = study(), []

    def run(command, input, **_):
        assert command[-1] == measure.__name__
        asked.append(json.loads(input))
        return SimpleNamespace(stdout='a warning\n{"cpu": 2.5e-9}\n')

    monkeypatch.setattr(measure.subprocess, "run", run)
    assert measure.speed(5e6, settings) == {"cpu": 2.5e-9}
    n_weights, whole = asked[0]
    assert n_weights == 5e6 and Settings.model_validate(whole) == settings
