"""The speed of this machine: of a random model that has the study's shape."""

import io
import json
import math
import time
from functools import partial
from types import SimpleNamespace

import made_configs
import pytest

from memloc.planning import measure
from memloc.planning.shapes import Shape, _gpt, shape_of
from memloc.settings.study import Settings

GROUPED = Shape(2, 24, 6, 2, 4, 40, True, 50, True)
PLAIN = _gpt(3, 24, 6, 50, tied=True)


study = partial(made_configs.study, "test")


@pytest.mark.parametrize("shape", [GROUPED, PLAIN])
def test_a_random_model_has_the_shape(shape):
    model = measure.random_model(shape)
    assert sum(each.numel() for each in model.parameters() if each.dim() > 1) == shape.n_parameters
    assert not model.training


def test_the_fastest_run_counts_and_long_ones_are_not_repeated(monkeypatch):
    for took, fastest in (([0.2, 0.1, 0.15, 0.3], 0.1), ([2.0, 1.0], 2.0), ([0.01] * 9, 0.01)):
        ran, clock = [], iter([at for each in took for at in (0, each)])
        monkeypatch.setattr(time, "process_time", lambda clock=clock: next(clock))
        assert measure.seconds(lambda ran=ran: ran.append(1)) == fastest
        enough = next((n for n in range(1, 6) if sum(took[:n]) >= measure.MOST_SECONDS), 5)
        assert len(ran) == enough


def test_a_model_that_is_not_trained_has_no_time_of_training_and_a_gpu_is_needed_to_time_one(monkeypatch):
    monkeypatch.setattr(measure, "seconds", lambda run, on_gpu=False: 1.0)
    hub = study(model={"source": "hub", "id": "a/b", "revision": "main"}, data={"source": "release"})
    assert math.isnan(measure.measured(GROUPED, hub, on_gpu=False).training)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    found = measure.measured(PLAIN, study(), on_gpu=True)
    assert all(map(math.isnan, found[1:4])) and found.training > 0


def test_a_process_of_its_own_measures(monkeypatch):
    """It gets shape and settings as JSON, and prints the speed, which may hold NaN."""
    settings, asked = study(), []

    def run(command, input, **_):
        assert command[-1] == measure.__name__
        asked.append(json.load(io.StringIO(input)))
        return SimpleNamespace(stdout="a warning\n[2.5, NaN, NaN, NaN, 1e-11, 0]\n")

    monkeypatch.setattr(measure.subprocess, "run", run)
    shape = shape_of(settings, "unknown")
    found = measure.speed(shape, settings, on_gpu=True)
    assert (found.load, found.training) == (2.5, 1e-11) and math.isnan(found.score)
    given, whole, on_gpu = asked[0]
    assert Shape(*given) == shape and Settings.model_validate(whole) == settings and on_gpu
