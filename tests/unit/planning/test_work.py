"""Counts of a rule's work: by hand, and as large as the lists that they depend on."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from made_questions import question, subject

from memloc.planning.memory import Shape, shape_of
from memloc.planning.work import n_paragraphs, n_windows, text_megabytes, works
from memloc.planting.methods import function_of
from memloc.removal.registry import WAYS
from memloc.settings.methods import METHODS
from memloc.settings.removal_ways import EDITS
from memloc.settings.study import Settings

ROOT = Path(__file__).parents[3]


def study(name, **changes):
    given = yaml.safe_load((ROOT / f"config/{name}.yaml").read_text())
    for section, keys in changes.items():
        adds = isinstance(keys, dict) and "source" not in keys
        given[section] = given.get(section, {}) | keys if adds else keys
    settings = Settings.model_validate(given)
    return shape_of(settings, "unknown"), settings


def test_paragraphs_counted_by_hand():
    """Of a model of two layers with three heads, and eight paragraphs of ten tokens."""
    given = {
        "study": "x",
        "paragraph": {"length": 10, "prefix": 4},
        "data": {"source": "tokens", "files": ["any.npy"]},
        "model": {"source": "hub"},
        "estimate": {"paragraphs": 8},
        "sets": {"n_memorized": 2, "n_non_memorized": 1, "n_partly": 1, "n_rare_tokens": 5, "n_pairs": 1},
        "contrastive": {"n_controls": 1},
        "head_ablation": {"n_paragraphs": 3, "n_judging": 4, "top": [1, 2], "n_random": 39},
        "editing": {"n_paragraphs": 2, "learning_rates": [1e-3, 1e-4], "steps": 5, "n_controls": 1}
        | {"n_judging": 7},
        "remove": {"ways": ["top", "svd"], "n_joint": 2, "n_single": 1, "n_judging": 1, "n_validation": 1}
        | {"n_perturbations": 1, "n_keep": 1, "steps": 5, "unlearning": [1e-3]}
        | {"relearning_limit": 2},
    }
    found = works(Shape(2, 3, 12, 11, 4000), Settings.model_validate(given))
    assert (found["scores"], found["train_model"]) == (("score", 8), ("training", 0))
    n = {rule: number for rule, (_, number) in found.items()}
    # A few runs of five paragraphs, of samples and pairs.
    assert {n[rule] for rule in ("sets", "token_statistics", "score_samples", "attention")} == {5 * 5}
    # Four prefix tokens of five paragraphs.
    assert n["perturbation"] == 5 * 4
    # Of two pairs: q, k, v of three heads and half of four positions, both ways, in a quarter of a run.
    assert n["patching"] == 2 * 2 * 2 * (9 + 2) / 4
    assert n["activation_gradients"] == 5 * 2
    assert n["parameter_gradients"] == 2 * 5 + 2 * 1
    # For 10 texts and a pair: each of 6 heads and 4 blocks, on half of the layers; then 39 orders of heads.
    assert n["ablate_heads"] == (10 + 2) * ((6 + 4) / 2 + 39 * 2)
    # Three arms edit two paragraphs: 5 steps on two texts, with two rates.
    assert n["edit_paragraphs"] == 6 * 5 * 2 * 2
    # Two ways remove three paragraphs: five steps on what is removed, and what is kept in each of two runs;
    # as many again for the choice of a setting.
    assert n["remove"] == 2 * 2 * 5 * (3 + 2)


def test_own_text_is_as_long_as_its_files_and_it_is_scanned_where_no_counts_are_given(tmp_path):
    (tmp_path / "a.txt").write_bytes(("\u00e9" * 35_000).encode("latin-1"))
    (tmp_path / "b.jsonl.gz").write_bytes(b"x" * 3_500)
    data = {"source": "text", "files": [f"{tmp_path}/*"], "encoding": "latin-1"}
    given = {"study": "x", "data": data, "model": {"source": "hub"}}
    settings, counted = (
        Settings.model_validate(given | {"data": data | more}) for more in ({}, {"counts": "n"})
    )
    assert n_paragraphs(settings) == 130 and text_megabytes(settings) == 1
    long = Settings.model_validate(given | {"estimate": {"paragraphs": 142_857}})
    assert text_megabytes(long) == 500, "of 50 MB"
    scans = [works(shape_of(each, "unknown"), each)["passages"] for each in (settings, counted)]
    assert scans == [("score", 2 * 130), ("score", 0)]


def test_questions_count_at_least_what_methods_run(tiny_gpt_neo):
    """How often layers run, in gradients of three passes."""
    model, ran = tiny_gpt_neo, []
    layers, n_heads = model.transformer.h, model.config.num_heads
    asked = question(model, integration_steps=4)
    hooks = [layer.register_forward_hook(lambda *_, **__: ran.append(1)) for layer in layers]
    _, settings = study("grown-truth", grown_truth={"integration_steps": 4})
    for name in METHODS:
        function_of(name)(subject(model), asked)
    for hook in hooks:
        hook.remove()
    counted = works(Shape(len(layers), n_heads, 12, 11, 4000), settings)["ask_methods"][1]
    assert 0.3 < len(ran) / len(layers) / 3 / (counted / 6 / settings.n_grown) < 1


def test_every_edit_counts_as_trained():
    studies = {way: study("removal", remove={"ways": [way]}) for way in WAYS}
    steps = {way: works(*each)["remove"][1] for way, each in studies.items()}
    assert {way for way in WAYS if steps[way] > min(steps.values())} == {*EDITS}


def test_windows_of_drawn_data():
    data = {
        "source": "drawn",
        "n_repeated": 4,
        "n_once": 10,
        "n_unseen": 6,
        "min_repeats": 5,
        "max_repeats": 5,
    }
    _, same = study("config", data=data)
    per_window = (
        256 - 100 + 1
    ) / 100  # places where a paragraph may begin, per paragraph that a window holds
    assert n_paragraphs(same) == 20 and n_windows(same) == pytest.approx((10 + 4 * 5) / per_window)
    uniform = (np.arange(10_000) + 0.5) / 10_000
    repeats = np.exp(np.log(5) + uniform * (np.log(50) - np.log(5))).mean()
    _, spread = study("config", data=data | {"max_repeats": 50})
    assert n_windows(spread) == pytest.approx((10 + 4 * repeats) / per_window, rel=1e-4)
    assert n_windows(study("gpt-neo-125m")[1]) == 0


def test_paragraphs_and_windows_of_code_follow_from_its_size():
    """3.5 bytes a token; windows of 256, and paragraphs of 100 tokens."""
    code = {"source": "code", "megabytes": 3.5, "held_out": 0.1}
    assert n_paragraphs(study("config", data=code)[1]) == 10_000
    some = study("config", data=code | {"n_paragraphs": 500})[1]
    assert n_paragraphs(some) == 1500 and n_windows(some) == pytest.approx(900_000 / 256)
