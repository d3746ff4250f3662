"""Memory is estimated from the shapes of models; the estimate is near the measured peak."""

import os
import subprocess
import sys

import measure_memory
import pytest
import torch
from transformers import GPTNeoConfig, GPTNeoForCausalLM

from memloc.model.components import components
from memloc.model.families import FAMILIES
from memloc.resources import memory
from memloc.settings.study import Settings
from tiny_models import LLAMA_LIKE, TINY

STUDY = {"study": "x", "data": {"source": "release"}, "model": {"source": "hub"}}
# What the models' cards and papers say: parameters, query heads, and heads of keys and values.
SAID = {
    "EleutherAI/gpt-neo-125m": (125_198_592, 12, 12),
    "EleutherAI/gpt-neo-1.3B": (1_315_575_808, 16, 16),
    "EleutherAI/gpt-neo-2.7B": (2_651_307_520, 20, 20),
    "openai-community/gpt2": (124_439_808, 12, 12),
    "HuggingFaceTB/SmolLM2-135M": (134_515_008, 9, 3),
    "EleutherAI/pythia-70m-deduped": (70_426_624, 8, 8),
    "EleutherAI/pythia-160m-deduped": (162_322_944, 12, 12),
    "EleutherAI/pythia-410m-deduped": (405_334_016, 16, 16),
    "EleutherAI/pythia-1b-deduped": (1_011_781_632, 8, 8),
    "EleutherAI/pythia-1.4b-deduped": (1_414_647_808, 16, 16),
    "EleutherAI/pythia-2.8b-deduped": (2_775_208_960, 32, 32),
    "EleutherAI/pythia-6.9b-deduped": (6_857_302_016, 32, 32),
    "EleutherAI/pythia-12b-deduped": (11_846_072_320, 40, 40),
    **dict.fromkeys(  # Llama 3.2 1B (1,235,814,400) with 50,304 tokens in place of 128,256, and not tied
        ("allegrolab/hubble-1b-100b_toks-perturbed-hf", "allegrolab/hubble-1b-100b_toks-standard-hf"),
        (1_179_191_296, 32, 8),
    ),
    "allenai/OLMo-1B-hf": (1_176_764_416, 16, 16),
    "allenai/OLMo-2-0425-1B": (1_484_916_736, 16, 16),
    "allenai/Olmo-3-1025-7B": (7_298_011_136, 32, 32),
}


def settings(**changes):
    return Settings.model_validate(STUDY | changes)


@pytest.mark.parametrize("name", SAID)
def test_published_shapes_have_the_published_number_of_parameters_and_heads(name):
    shape, (n_parameters, *n_heads) = memory.PUBLISHED[name], SAID[name]
    assert shape.n_parameters == pytest.approx(n_parameters, rel=1e-3)
    assert [shape.n_heads, shape.n_kv_heads] == n_heads and shape.d_head * shape.n_heads == shape.width


@pytest.mark.parametrize("family", TINY | LLAMA_LIKE)
def test_a_config_file_has_the_shape_of_its_model(family, tmp_path):
    model = (TINY | LLAMA_LIKE)[family]()
    model.config.save_pretrained(tmp_path)
    shape = memory.read_shape(tmp_path / "config.json")
    names = {component.parameter for component in components(model)}
    assert shape.n_component_weights == sum(model.get_parameter(name).numel() for name in names)
    matrices = sum(weight.numel() for weight in model.parameters() if weight.dim() > 1)
    assert shape.n_parameters == matrices
    assert (shape.n_layers, shape.n_heads) == (2, 4) and shape.gated == FAMILIES[family].gated


def test_heads_may_be_wider_than_their_share_of_the_model(tmp_path):
    config = TINY["llama"]().config
    config.head_dim = 6  # 4 heads share a width of 16
    model = type(TINY["llama"]())(config)
    config.save_pretrained(tmp_path)
    shape = memory.read_shape(tmp_path / "config.json")
    assert shape.d_head == 6
    assert shape.n_parameters == sum(weight.numel() for weight in model.parameters() if weight.dim() > 1)


@pytest.mark.parametrize(("family", "key"), [("gpt2", "n_inner"), ("gpt_neo", "intermediate_size")])
def test_an_mlp_has_four_times_the_width_unless_the_config_says_another(family, key, tmp_path):
    config = TINY[family]().config
    for given, expected in ((None, 64), (24, 24)):
        setattr(config, key, given)
        config.save_pretrained(tmp_path)
        assert memory.read_shape(tmp_path / "config.json").d_mlp == expected


@pytest.mark.parametrize("family", ["gpt2", "llama"])
@pytest.mark.parametrize("tied", [True, False])
def test_one_matrix_embeds_and_unembeds_where_the_config_says_so(family, tied, tmp_path):
    config = TINY[family]().config
    config.tie_word_embeddings = tied
    config.save_pretrained(tmp_path)
    shape, n_embedding = memory.read_shape(tmp_path / "config.json"), 64 * 16
    positions = 64 * 16 if family == "gpt2" else 0
    embeddings = shape.n_parameters - shape.n_component_weights - positions
    assert shape.tied == tied and embeddings == (1 if tied else 2) * n_embedding


def test_the_shape_of_a_study(tmp_path):
    hub = {"source": "hub", "id": "EleutherAI/pythia-12b-deduped"}
    assert memory.shape_of(settings(model=hub), tmp_path).n_layers == 36
    unknown = settings(model={"source": "hub", "id": "lab/new"})
    assert memory.shape_of(unknown, tmp_path) == memory.UNKNOWN
    TINY["llama"]().config.save_pretrained(tmp_path)
    assert memory.shape_of(unknown, tmp_path).n_kv_heads == 2
    embedded = settings(data={"source": "embedded"}, model={"source": "embedded", "n_layers": 3})
    other = {"package": "other==1", "file": "other.gguf", "sha256": "0" * 64}
    for base, n_layers in (({}, 30), (other, 2)):  # of the default's model, and of what lies in the folder
        planted = settings(data={"source": "embedded"}, model={"source": "planted", **base})
        assert memory.shape_of(planted, tmp_path).n_layers == n_layers
    vocabulary = embedded.data.vocabulary
    assert memory.shape_of(embedded, tmp_path) == (3, 256, 8, 8, 32, 1024, False, vocabulary, 0, True)


@pytest.mark.parametrize("size", ["n_memorized", "n_non_memorized", "n_rare_tokens"])
def test_the_table_of_attention_has_rows_for_every_sample(size):
    shape = memory.PUBLISHED["EleutherAI/gpt-neo-125m"]
    sizes = {"n_memorized": 60, "n_non_memorized": 70, "n_rare_tokens": 80}
    few, more = (settings(sets=sizes | {size: n}) for n in (sizes[size], sizes[size] + 10))
    rows = 10 * 50 * 12 * 12
    found = [memory.stage_bytes(shape, study)["attention"] for study in (few, more)]
    assert found[1] - found[0] == rows * memory.ROW


def test_a_rule_asks_for_the_process_and_its_peak():
    shape = memory.PUBLISHED["EleutherAI/gpt-neo-125m"]
    asked, peaks = memory.stage_megabytes(shape, settings()), memory.stage_bytes(shape, settings())
    assert all(700e6 + peaks[stage] <= 1e6 * asked[stage] < 701e6 + peaks[stage] for stage in peaks)


def test_settings_that_save_memory():
    shape = memory.PUBLISHED["EleutherAI/pythia-1.4b-deduped"]
    whole = memory.stage_bytes(shape, settings())
    for loading in ({"dtype": "bfloat16"}, {"checkpointing": True}):
        less = memory.stage_bytes(shape, settings(loading=loading))
        assert all(less[stage] <= whole[stage] for stage in whole)
        assert less["activation_gradients"] < whole["activation_gradients"]
    smaller = memory.stage_bytes(shape, settings(scores={"micro_batch": 1}))
    assert smaller["scores"] < whole["scores"] and smaller["attention"] == whole["attention"]


def test_with_checkpointing_the_residual_stream_of_every_layer_and_one_layer_are_kept():
    shape = memory.PUBLISHED["EleutherAI/pythia-1.4b-deduped"]
    passes = memory.Passes(shape, settings(loading={"checkpointing": True}), 3, 100)
    residuals = shape.n_layers * 3 * 100 * shape.width * 4  # bytes
    assert passes.kept == residuals + 2 * passes.layer


# A model, and paragraphs of 10 tokens, 4 of them prefix, that are small enough to count bytes by hand.
SMALL = memory.Shape(2, 12, 4, 2, 5, 7, True, 11, 0, False)
COUNTED = {
    "data": {"source": "text", "files": ["any.txt"]},
    "paragraph": {"length": 10, "prefix": 4},
    "sets": {"n_memorized": 3, "n_non_memorized": 25, "n_rare_tokens": 7},
    "detection": {"n_repeated": 3, "n_others": 2, "prefix_shares": [0.5, 1.0], "n_layers": 1},
}
WEIGHTS, GRADIENTS = 8832, 7776
LAYER, KEPT, CACHE, RESIDUALS, SITES, LOGITS = 9760, 19520, 1600, 960, 5920, 264  # of one paragraph
MOVED = WEIGHTS + 6 * GRADIENTS  # what moving weights takes beyond them


def counted(**changes):
    given = {name: COUNTED.get(name, {}) | keys for name, keys in changes.items() if isinstance(keys, dict)}
    return settings(**COUNTED | {"loading": {"device": "cuda"}} | given)


def test_bytes_of_a_pass_counted_by_hand():
    passes = memory.Passes(SMALL, counted(), 1, 10)
    assert passes.attention == 4 * 10 * 10 * 4  # every head, and pair of tokens
    per_token = 8 * 12 + 4 * 7  # residual stream and what attention computes; three of an MLP, and its result
    assert passes.layer == 10 * per_token * 4 + 3 * 1600 == LAYER
    assert passes.kept == 2 * LAYER == KEPT
    assert passes.residuals == 2 * 10 * 12 * 4 == RESIDUALS
    assert passes.cache == 2 * 10 * (10 + 10) * 4 == CACHE  # keys and values
    assert passes.sites == 2 * 10 * (20 + 10 + 10 + 20 + 7 + 7) * 4 == SITES  # q, k, v, z, pre, post
    assert passes.logits == 6 * 11 * 4 == LOGITS
    assert memory.Passes(SMALL._replace(gated=False), counted(), 1, 10).layer == LAYER - 10 * 7 * 4
    three, half = (memory.Passes(SMALL, counted(loading={"dtype": dtype}), 3, 10) for dtype in memory.BYTES)
    for part in ("attention", "layer", "kept", "residuals", "cache", "sites"):
        assert getattr(three, part) == 3 * getattr(passes, part) == 2 * getattr(half, part)
    assert three.logits == half.logits == 3 * LOGITS


@pytest.mark.parametrize(
    ("stage", "section", "each", "fixed"),
    [
        ("scores", "scores", LAYER, 0),
        ("sets", "scores", LAYER + CACHE, 0),
        ("token_statistics", "scores", LAYER, 0),
        ("perturbation", "perturbation", LAYER + CACHE, 0),
        ("activation_gradients", "activation_gradients", KEPT + 2 * SITES, 8 * 3 * 10 * 8 * 40),
        ("attention", "attention", 3680 + 2 * 400, 35 * 4 * 8 * 40),  # of 5 tokens
        ("prefix_features", "detection", 5504 + 2 * 256, 4 * 7 * 2 * 40 + WEIGHTS),  # of 4 tokens
        ("patching", "patching", LAYER, 2 * KEPT),
        ("residual_patching", "patching", LAYER, 2 * KEPT),
        ("ablate_heads", "head_ablation", LAYER + 2 * RESIDUALS, 0),
        ("bypass_layers", "layer_bypass", LAYER + 2 * RESIDUALS, 0),
        ("disturb_weights", "weight_noise", KEPT, WEIGHTS + 4 * GRADIENTS),
        ("parameter_gradients", "contrastive", KEPT + LOGITS, MOVED),
        ("edit_paragraphs", "editing", KEPT, MOVED + 10 * LOGITS),
        ("edited_model", "edit_model", KEPT, MOVED + 25 * LOGITS),
        ("remove", "remove", KEPT, MOVED + 20 * LOGITS),
        ("plant_paragraphs", "planted_truth", KEPT + 2 * LOGITS, MOVED + 64 * (3 * 10 * 12 * 4 + LOGITS)),
    ],
)
def test_bytes_of_a_rule_counted_by_hand(stage, section, each, fixed):
    for n in (20, 30):
        found = memory.stage_bytes(SMALL, counted(**{section: {"micro_batch": n}}))
        assert found[stage] == WEIGHTS + fixed + n * each


@pytest.mark.parametrize("stage", ["ablate_heads", "bypass_layers"])
def test_without_heads_or_blocks_the_larger_of_residual_streams_and_keys_is_held(stage):
    sections = {name: {"micro_batch": 10} for name in ("head_ablation", "layer_bypass")}
    found = memory.stage_bytes(SMALL._replace(n_kv_heads=4), counted(**sections))[stage]
    assert found == WEIGHTS + 4 * 2 * 240 + 10 * (LAYER + 2 * CACHE)


@pytest.mark.parametrize("rows", [{"integration_steps": 30}, {"keep": 29}, {"micro_batch": 30}])
def test_the_most_rows_that_planting_runs_at_once_count(rows):
    one_each = {"integration_steps": 1, "keep": 0, "micro_batch": 1}
    few, many = (
        memory.stage_bytes(SMALL, counted(planted_truth=one_each | more))["plant_paragraphs"]
        for more in ({}, rows)
    )
    assert many - few == 29 * (KEPT + 2 * LOGITS)


RUN_PACKED = {"scores", "sets", "perturbation", "token_statistics", "patching", "residual_patching"}
RUN_PACKED |= {"ablate_heads", "bypass_layers", "score_positions"}


@pytest.mark.parametrize(
    ("name", "packed"), [("EleutherAI/gpt-neo-125m", RUN_PACKED), ("EleutherAI/pythia-1.4b-deduped", set())]
)
def test_processors_hold_the_weights_of_small_models_twice_where_none_move(name, packed):
    shape = memory.PUBLISHED[name]
    on_gpu, on_any = (
        memory.stage_bytes(shape, settings(loading={"device": device})) for device in ("cuda", "auto")
    )
    more = {stage: on_any[stage] - on_gpu[stage] for stage in on_any}
    assert {stage: bytes_ for stage, bytes_ in more.items() if bytes_} == dict.fromkeys(
        packed, 4 * shape.n_parameters
    )


@pytest.mark.parametrize(
    ("dtype", "nll", "screened"),
    [("float32", False, True), ("float32", True, False), ("bfloat16", False, False)],
)
def test_screening_holds_the_model_in_bfloat16_as_well(dtype, nll, screened):
    loading = {"dtype": dtype}
    plain, found = (
        memory.stage_bytes(SMALL, counted(loading=loading, perturbation=how))["perturbation"]
        for how in ({}, {"nll": nll})
    )
    assert found - plain == (WEIGHTS if screened else 0)  # and packed for the processor


def test_edits_take_what_they_take_in_single_precision():
    shape = memory.PUBLISHED["EleutherAI/pythia-1.4b-deduped"]
    single, half = (
        memory.stage_bytes(shape, settings(loading={"dtype": dtype})) for dtype in ("float32", "bfloat16")
    )
    assert half["scores"] < single["scores"] and half["model"] == single["model"] / 2
    for stage in ("edit_paragraphs", "edited_model", "parameter_gradients", "plant_paragraphs"):
        assert half[stage] == single[stage] > 8 * shape.n_component_weights * 4
    few = memory.stage_bytes(shape, settings(edit_model={"n_controls": 10}))
    every = memory.stage_bytes(shape, settings(edit_model={"n_controls": 50}))
    assert few["edit_paragraphs"] == few["edited_model"] < every["edited_model"] == single["edited_model"]


def test_a_gpu_spares_the_machines_memory():
    shape = memory.PUBLISHED["EleutherAI/gpt-neo-125m"]
    somewhere, gpu = (
        memory.stage_megabytes(shape, settings(loading={"device": device})) for device in ("auto", "cuda")
    )
    assert set(gpu.values()) == {somewhere["model"]}
    assert somewhere["edit_paragraphs"] > 2 * gpu["edit_paragraphs"]


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
    kept = {"MALLOC_MMAP_THRESHOLD_": str(2**25), "MALLOC_TRIM_THRESHOLD_": str(2**29)}
    run = subprocess.run(script, env=os.environ | kept, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    shape = memory.PUBLISHED["EleutherAI/gpt-neo-125m"]
    estimate = 1e6 * memory.stage_megabytes(shape, settings())[stage]
    assert 0.7 < int(run.stdout) / estimate < 1.3


@pytest.mark.parametrize(("gated", "n_matrices"), [(False, 2), (True, 3)])
def test_curvature_takes_two_factors_of_each_matrix_of_an_mlp(gated, n_matrices):
    """Of inputs and of outputs, in double precision, where a wide MLP makes them larger than an edit."""
    shape = memory.Shape(2, 64, 4, 4, 16, 1024, gated, 100, 0, False)
    found = {
        way: memory.stage_bytes(shape, settings(remove={"ways": [way], "micro_batch": 1}))["remove"]
        for way in ("kfac", "svd")
    }
    passes = memory.Passes(shape, settings(), 1, 100).kept
    factors = 2 * n_matrices * 8 * (64**2 + 1024**2) + 2 * 8 * 1024**2
    assert found["kfac"] == pytest.approx(8 * shape.n_parameters + passes + factors)
    assert found["kfac"] > found["svd"]
    half = settings(remove={"ways": ["kfac"], "micro_batch": 1}, loading={"dtype": "bfloat16"})
    assert memory.stage_bytes(shape, half)["remove"] == found["kfac"]
    small = memory.stage_bytes(SMALL, settings(remove={"ways": ["kfac"]}))["remove"]
    assert small == memory.stage_bytes(SMALL, settings())["remove"]  # an edit takes more
