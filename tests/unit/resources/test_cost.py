"""What the estimate knows of single rules and machines. Passes: tests/unit/bench/test_estimate.py."""

import pytest

from memloc.resources import cost, memory
from memloc.settings.study import Settings

STUDY = {"study": "x", "data": {"source": "text", "files": ["any.txt"]}, "model": {"source": "hub"}}
STUDY |= {"planted_truth": {"kinds": {"head_vo": 1}}, "remove": {"ways": ["top"]}}
SETTINGS = Settings.model_validate(STUDY)
SHAPE = memory.Shape(2, 12, 4, 2, 5, 7, True, 11, 0, False)
ANY = cost.Machine("any", 10, 7, 4)


@pytest.mark.parametrize("rule", ["train_model", "download_model", "download_base", "edited_model"])
def test_a_model_on_the_disk_has_four_bytes_a_weight(rule):
    assert cost.rule_bytes(rule, SHAPE, SETTINGS) == 4 * SHAPE.n_parameters


@pytest.mark.parametrize(
    ("rule", "imports"),
    [("model", 1.2), ("rare_tokens", 1.1), ("detect", 3.6), ("transfer_detection", 4), ("run_config", 0)],
)
def test_rules_that_run_no_model_take_imports_alone(rule, imports):
    assert cost.rule_seconds(rule, SHAPE, SETTINGS, ANY, 2) == 7 * imports


OVERHEAD = {"scores": 1, "activation_gradients": 1.5, "attention": 1.5, "parameter_gradients": 0.5}
OVERHEAD |= {"plant_paragraphs": 1.7, "remove": 1.5, "prefix_features": 0.6, "patching": 1}


@pytest.mark.parametrize("rule", OVERHEAD)
def test_time_is_that_of_passes_at_the_rate_that_the_width_reaches_times_what_was_measured(rule):
    work = cost.passes(SHAPE, SETTINGS)[rule] * cost.gflop_per_pass(SHAPE, SETTINGS)
    seconds = cost.rule_seconds(rule, SHAPE, SETTINGS, ANY, 2) - 7
    assert seconds == pytest.approx(OVERHEAD[rule] * work / (2 * 10 * 12 / 140)) and work > 0


def test_named_machines_have_the_rates_of_their_data_sheets():
    """19.5 and 67 TFLOP/s without tensor cores, whatever the number of threads."""
    for name, rate in (("a100", 19_500), ("h100", 67_000)):
        machine = cost.NAMED[name]
        assert (machine.rate, machine.gpus, machine.measured) == (rate, 1, False)
        one, many = (cost.rule_seconds("scores", SHAPE, SETTINGS, machine, n) for n in (1, 8))
        assert one == many
