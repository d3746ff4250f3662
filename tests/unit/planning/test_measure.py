"""The speed of this machine: of a random model that has the study's shape."""

import json
from functools import partial
from types import SimpleNamespace

import made_configs
import pytest

from memloc.planning import measure
from memloc.planning.memory import Shape, shape_of
from memloc.settings.study import Settings

SMALL = Shape(3, 6, 24, 50, 21_936)
KINDS = {"score", "gradients", "edit"}

study = partial(made_configs.study, "test")


def test_times_are_per_weight_and_paragraph_or_window_of_the_faster_run(monkeypatch):
    """Each kind runs twice, in micro-batches of eight small paragraphs."""
    ran = []
    monkeypatch.setattr(measure.timeit, "repeat", lambda run, **how: ran.append(how) or [run() and 4.0, 2.0])
    found, n_weights = measure.measured(SMALL, study(), on_gpu=False), 21_936 + 24 * 2 + 3 * 13 * 24
    assert {how["repeat"] for how in ran} == {2} and len(ran) == 4
    assert [found[kind] for kind in KINDS] == pytest.approx([2 / 8 / n_weights] * 3, rel=0.02)
    assert found["training"] == pytest.approx(2 / study().model.batch / n_weights, rel=0.02)


def test_what_cannot_be_measured_is_missing(monkeypatch):
    """A model that is not trained has no time of training, and only a GPU times what runs on one."""
    hub = study(model={"source": "hub", "id": "a/b", "revision": "main"}, data={"source": "release"})
    assert measure.measured(SMALL, hub, on_gpu=False).keys() == {"load", "gpus"} | KINDS
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    assert measure.measured(SMALL, study(), on_gpu=True).keys() == {"load", "gpus", "training"}


def test_a_process_of_its_own_measures(monkeypatch):
    """It gets shape and settings as JSON, and prints the speed."""
    settings, asked = study(), []

    def run(command, input, **_):
        assert command[-1] == measure.__name__
        asked.append(json.loads(input))
        return SimpleNamespace(stdout='a warning\n{"load": 2.5, "training": 1e-11, "gpus": 0}\n')

    monkeypatch.setattr(measure.subprocess, "run", run)
    shape = shape_of(settings, "unknown")
    assert measure.speed(shape, settings, on_gpu=True) == {"load": 2.5, "training": 1e-11, "gpus": 0}
    given, whole, on_gpu = asked[0]
    assert Shape(*given) == shape and Settings.model_validate(whole) == settings and on_gpu
