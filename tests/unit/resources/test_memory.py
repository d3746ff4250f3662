"""Memory is estimated from the shapes of models; the estimate is near the measured peak."""

import subprocess
import sys

import measure_memory
import pytest
import torch
from transformers import GPTNeoConfig, GPTNeoForCausalLM

from memloc.resources import memory
from memloc.resources.shapes import PUBLISHED, Shape
from memloc.settings.study import Settings

NEO, PYTHIA = (PUBLISHED[f"EleutherAI/{name}"] for name in ("gpt-neo-125m", "pythia-1.4b-deduped"))
# A model that is small enough to count bytes by hand.
SMALL = Shape(2, 12, 4, 2, 5, 7, True, 11, 0, False)


def settings(**changes):
    study = {"study": "x", "data": {"source": "release"}, "model": {"source": "hub"}}
    return Settings.model_validate(study | changes)


def needed(shape, **changes):
    """Without rules that need as much as another one."""
    found = memory.stage_bytes(shape, settings(**changes))
    return {rule: found[rule] for rule in found.keys() - memory.LIKE.keys()}


def changed(before, after):
    return {rule for rule in before if before[rule] != after[rule]}


def test_bytes_of_a_pass_counted_by_hand():
    short = {"paragraph": {"length": 10, "prefix": 4}, "data": {"source": "text", "files": ["any.txt"]}}
    found = memory.passes(SMALL, settings(**short), 1)
    assert found.attention == 4 * 10 * 10 * 4  # every head, and pair of tokens
    per_token = 8 * 12 + 4 * 7  # residual stream and what attention computes; three of an MLP, and its result
    assert found.layer == 10 * per_token * 4 + 3 * 1600
    assert found.kept == 2 * found.layer
    assert found.cache == 2 * max(2 * 10 * 12, 10 * (10 + 10)) * 4
    assert found.sites == 2 * 10 * (20 + 10 + 10 + 20 + 7 + 7) * 4  # q, k, v, z, pre, post
    assert found.logits == 6 * 11 * 4
    checkpointed = memory.passes(SMALL, settings(**short, loading={"checkpointing": True}), 1)
    assert checkpointed.kept == 2 * 10 * 12 * 4 + 2 * found.layer


@pytest.mark.parametrize(
    ("section", "rules"),
    [
        ("scores", {"scores", "sets", "token_statistics"}),
        ("perturbation", {"perturbation"}),
        ("positions", {"score_samples"}),
        ("activation_gradients", {"activation_gradients"}),
        ("attention", {"attention"}),
        ("detection", {"prefix_features"}),
        ("patching", {"patching"}),
        ("head_ablation", {"ablate_heads"}),
        ("layer_bypass", {"bypass_layers"}),
        ("weight_noise", {"disturb_weights"}),
        ("contrastive", {"parameter_gradients"}),
        ("editing", {"edit_paragraphs"}),
        ("edit_model", {"edited_model"}),
        ("remove", {"remove"}),
        ("grown_truth", {"ask_methods"}),
    ],
)
def test_rows_at_a_time_are_those_of_the_rules_own_section(section, rules):
    few, more = (needed(NEO, **{section: {"micro_batch": n}}) for n in (100, 200))
    assert changed(few, more) == rules and all(few[rule] < more[rule] for rule in rules)


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({"sets": {"n_memorized": 500}}, {"activation_gradients", "attention"}),
        ({"sets": {"n_non_memorized": 500}}, {"attention", "edited_model"}),
        ({"sets": {"n_rare_tokens": 50_000}}, {"attention"}),
        ({"detection": {"n_repeated": 9000}}, {"prefix_features"}),
        ({"editing": {"n_controls": 50}}, {"edit_paragraphs"}),
        ({"remove": {"n_keep": 100}}, {"remove"}),
        ({"grown_truth": {"integration_steps": 50}}, {"ask_methods"}),
    ],
)
def test_larger_samples_need_more(changes, rules):
    few, more = needed(NEO), needed(NEO, **changes)
    assert changed(few, more) == rules and all(few[rule] < more[rule] for rule in rules)


def test_smaller_numbers_need_less_but_weights_move_in_single_precision():
    single, half = (needed(PYTHIA, loading={"dtype": dtype}) for dtype in memory.BYTES)
    moving = {"edit_paragraphs", "edited_model", "parameter_gradients", "ask_methods", "remove"}
    assert changed(single, half) == set(single) - moving and half["model"] == single["model"] / 2
    assert all(single[rule] > 8 * PYTHIA.n_component_weights * 4 for rule in moving)


@pytest.mark.parametrize(("gated", "n_matrices"), [(False, 2), (True, 3)])
def test_curvature_takes_two_factors_of_each_matrix_of_an_mlp(gated, n_matrices):
    """Of inputs and of outputs, in double precision, where a wide MLP makes them larger than an edit."""
    shape = Shape(2, 64, 4, 4, 16, 1024, gated, 100, 0, False)
    found = needed(shape, remove={"ways": ["kfac"], "micro_batch": 1})["remove"]
    passes = memory.passes(shape, settings(), 1).kept
    factors = 2 * n_matrices * 8 * (64**2 + 1024**2) + 2 * 8 * 1024**2
    assert found == pytest.approx(8 * shape.n_parameters + passes + factors)
    assert found > needed(shape, remove={"ways": ["svd"], "micro_batch": 1})["remove"]


def test_a_rule_asks_for_the_process_and_its_peak_or_on_a_gpu_for_the_model_alone():
    asked, peaks = memory.stage_megabytes(NEO, settings()), needed(NEO)
    assert all(700e6 + peaks[stage] <= 1e6 * asked[stage] < 701e6 + peaks[stage] for stage in peaks)
    gpu = memory.stage_megabytes(NEO, settings(loading={"device": "cuda"}))
    assert set(gpu.values()) == {asked["model"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """GPT-Neo 125M with random weights."""
    torch.manual_seed(0)
    kinds = [[["global", "local"], 6]]
    config = GPTNeoConfig(hidden_size=768, num_layers=12, num_heads=12, attention_types=kinds)
    path = tmp_path_factory.mktemp("neo")
    GPTNeoForCausalLM(config).save_pretrained(path)
    return path


@pytest.mark.stress
@pytest.mark.parametrize("stage", measure_memory.STAGES)
def test_the_estimate_is_near_the_measured_peak(folder, stage):
    script = [sys.executable, measure_memory.__file__, stage, str(folder)]
    run = subprocess.run(script, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    estimate = 1e6 * memory.stage_megabytes(NEO, settings())[stage]
    assert 0.7 < int(run.stdout) / estimate < 1.3
