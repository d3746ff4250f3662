"""The estimate of a rule's time: against measured times, and as large as the lists that it depends on."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from memloc.removal.registry import RATES, WAYS
from memloc.resources import cost, memory
from memloc.resources.machine import NAMED, Machine
from memloc.resources.shapes import PUBLISHED, shape_of
from memloc.settings.methods import METHODS
from memloc.settings.model import GROWN_GRANULARITIES
from memloc.settings.study import Settings

ROOT = Path(__file__).parents[3]
# Seconds of the long rules of mini: threads, seconds.
MEASURED = {
    "ablate_heads": (1, 34.02),
    "activation_gradients": (1, 15.07),  # measured as two rules, less one import
    "attention": (1, 14.30),
    "edit_paragraphs": (1, 87.12),
    "paragraphs": (1, 28.41),
    "parameter_gradients": (1, 19.35),
    "patching": (1, 27.45),  # measured as two rules, less one import
    "perturbation": (1, 47.67),
    "scores": (2, 49.31),
    "train_model": (2, 239.62),
    "unlearn_paragraphs": (1, 88.70),
}
# Rates of one thread, and seconds of an import, of the machines that the times were measured on.
XEON = Machine("Xeon", 105, 4.8, 2)
EPYC = Machine("EPYC", 232, 4.5, 2)
CASCADE_LAKE = Machine("Xeon of 2019", 100, 5, 2, bfloat16=False)
# What mini was when it was measured, before Muon halved its training stream.
MEASURED_DATA = {"n_once": 6500, "n_unseen": 600, "max_repeats": 128}
MEASURED_SAMPLES = {"sets": {"n_pairs": 16}, "n_judging": 6}
NEO = PUBLISHED["EleutherAI/gpt-neo-125m"]


def study(name, **changes):
    given = yaml.safe_load((ROOT / f"config/{name}.yaml").read_text())
    for section, keys in changes.items():
        given[section] = given.get(section, {}) | keys if isinstance(keys, dict) else keys
    settings = Settings.model_validate(given)
    return shape_of(settings, "unknown"), settings


def test_mini_takes_what_was_measured():
    shape, settings = study("config", data=MEASURED_DATA, model={"optimizer": "adamw"}, **MEASURED_SAMPLES)
    whole = 0.0
    for rule, (threads, seconds) in MEASURED.items():
        estimated = cost.rule_seconds(rule, shape, settings, XEON, threads)
        assert 1 / 1.5 < estimated / seconds < 1.5, rule
        whole += estimated
    assert whole == pytest.approx(sum(seconds for _, seconds in MEASURED.values()), rel=0.2)


@pytest.mark.parametrize(
    ("name", "rule", "machine", "seconds"),
    [
        ("config", "remove", CASCADE_LAKE, 45),
        ("removal", "remove", EPYC, 680),
    ],
)
def test_removal_takes_what_was_measured(name, rule, machine, seconds):
    """One thread each."""
    estimated = cost.rule_seconds(rule, *study(name), machine, 1)
    assert 1 / 1.5 < estimated / seconds < 1.5


def test_every_rule_that_runs_the_model_has_its_passes():
    shape, settings = study("config")
    counted = cost.passes(shape, settings)
    others = {"model", "edited_model"}
    assert set(memory.stage_bytes(shape, settings)) - others <= set(counted)
    assert counted.pop("train_halves") == 0, "no model of half of the text is asked for"
    of_growth = {"train_twin", "exchange_places", "ask_methods", "remove_grown"}
    assert {counted.pop(name) for name in of_growth} == {0}, "nothing grows"
    assert min(counted.values()) > 0
    grown = cost.passes(*study("grown-truth"))
    halves = grown["train_twin"] / grown["train_model"]
    assert min(grown[name] for name in of_growth) > 0 and halves == pytest.approx(1), (
        "two twins, each from the middle on"
    )


def test_a_pass_is_the_work_of_every_product():
    """Of a GPT-Neo by its matrices: q, k, v and o, both of the MLP, attention of every pair, unembedding."""
    _, settings = study("gpt-neo-125m")
    width, layers, tokens = 768, 12, 100
    weights = 2 * tokens * layers * (4 * width**2 + 2 * width * 4 * width)
    attention = layers * sum(2 * 2 * width * position for position in range(1, tokens + 1))
    unembedding = 2 * 50 * width * 50257
    assert cost.gflop_per_pass(NEO, settings) == pytest.approx((weights + attention + unembedding) / 1e9)


def asked(kinds):
    model = {"grown": {"kinds": list(kinds), "n_memories": 2}}
    return cost.passes(*study("config", model=model))["ask_methods"]


@pytest.mark.parametrize("kind", GROWN_GRANULARITIES)
def test_a_method_that_joins_the_registry_is_asked_about_every_memory(kind, monkeypatch):
    """Two memories of each of two models, in three models."""
    before, every = asked([kind]), METHODS["parameter_gradient"]
    with monkeypatch.context() as patch:
        patch.setitem(METHODS, "new", every)
        assert asked([kind]) - before == pytest.approx(1.7 * 2 * 2 * 3 * cost.BACKWARD)
    assert asked(GROWN_GRANULARITIES) > before


def test_slow_methods_and_ways_are_those_of_the_registries():
    shape, settings = study("config")
    assert set(cost._slow_methods(shape, settings)) <= set(METHODS)
    studies = {way: study("config", remove={"ways": [way]}) for way in WAYS}
    took = {way: cost.passes(*studies[way])["remove"] for way in WAYS}
    by_steps = {way for way in WAYS if WAYS[way][1:3] == RATES}
    ranked = {way for way in WAYS if way.startswith("neurons_")}
    least = min(took.values())
    assert {way for way in WAYS if took[way] > least} == by_steps | ranked


@pytest.mark.parametrize(
    ("rule", "key", "longer"),
    [
        ("ablate_heads", "head_ablation.top", [1, 2]),
        ("disturb_weights", "weight_noise.sizes", [0.1, 0.2]),
        ("edit_paragraphs", "editing.extra_arms", ["head", "other_head"]),
        ("edit_paragraphs", "editing.learning_rates", [1e-3, 1e-4]),
        ("remove", "remove.shifts", [5, 6]),
        ("remove", "remove.ways", ["top", "svd"]),
    ],
)
def test_longer_lists_take_longer(rule, key, longer):
    section, _, key = key.partition(".")
    lists = (longer[:1], longer)
    few, many = (cost.passes(*study("config", **{section: {key: values}}))[rule] for values in lists)
    assert few < many


def test_a_list_costs_what_its_paragraphs_do():
    few, many = (study("public/extraction-benchmark", estimate={"paragraphs": n}) for n in (1000, None))
    assert cost.n_paragraphs(few[1]) == 1000 and cost.n_paragraphs(many[1]) == 15_000
    few, many = cost.passes(*few), cost.passes(*many)
    assert few["scores"] == many["scores"] / 15 and few["attention"] < many["attention"]
    assert few["perturbation"] == many["perturbation"]


def test_rows_of_embedded_data():
    data = {"n_repeated": 4, "n_once": 10, "n_unseen": 6, "min_repeats": 5, "max_repeats": 5}
    _, same = study("config", data=data)
    whole = (256 - 100 + 1) / 256  # of the places where a paragraph may begin in a window
    assert cost.n_paragraphs(same) == 20 and cost.n_trained(same) == pytest.approx((10 + 4 * 5) / whole)
    uniform = (np.arange(10_000) + 0.5) / 10_000
    repeats = np.exp(np.log(5) + uniform * (np.log(50) - np.log(5))).mean()
    _, spread = study("config", data=data | {"max_repeats": 50})
    assert cost.n_trained(spread) == pytest.approx((10 + 4 * repeats) / whole, rel=1e-4)


def test_a_faster_machine_and_more_threads_take_less_and_downloads_are_not_timed():
    shape, settings = study("gpt-neo-125m")
    slow, fast = (cost.rule_seconds("scores", shape, settings, machine, 1) for machine in (XEON, EPYC))
    assert slow > fast > cost.rule_seconds("scores", shape, settings, EPYC, 2)
    one, many = (cost.rule_seconds("scores", shape, settings, NAMED["h100"], n) for n in (1, 8))
    assert one == many < 20
    assert cost.rule_seconds("download_model", shape, settings, XEON, 1) == 0
    assert cost.rule_bytes("download_model", shape, settings) == pytest.approx(5e8, rel=0.05)
