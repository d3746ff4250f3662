"""What rules ask for is near measured peaks, and near what their tensors add up to."""

import os
import subprocess
import sys

import measure_memory
import pytest
import torch
from made_configs import study

from memloc.model.training import new_model
from memloc.planning.work import UNKNOWN, megabytes, memory, n_parameters
from memloc.settings.loading import Loading
from tiny_models import TINY

STUDIES = ("gpt-neo-125m", "models/pythia-12b")
# MB of the tensors that each rule holds at its peak, counted one by one (weights, copies, gradients, what
# autograd keeps, activations, logits, rows of large tables) and 700 MB of the process, for these studies.
COUNTED = {
    "ablate_heads": (1941, 51167),
    "activation_gradients": (3226, 69726),
    "attention": (1707, 52719),
    "edit_paragraphs": (5296, 369986),
    "edited_model": (5698, 370392),
    "model": (1201, 48075),
    "parameter_gradients": (4750, 368995),
    "patching": (2369, 51334),
    "perturbation": (1941, 51167),
    "prefix_features": (3463, 57260),
    "remove": (5397, 370087),
    "remove_grown": (5397, 370087),
    "score_samples": (2558, 57810),
    "scores": (2187, 51004),
    "sets": (2659, 60441),
}
SIZES = ((6, 8, 512), (12, 12, 768))  # layers, heads, width of Pythia 70M and GPT-Neo 125M
# What the models' cards and papers say.
SAID = {
    "EleutherAI/gpt-neo-125m": 125_198_592,
    "EleutherAI/gpt-neo-2.7B": 2_651_307_520,
    "openai-community/gpt2": 124_439_808,
    "HuggingFaceTB/SmolLM2-135M": 134_515_008,
    "EleutherAI/pythia-70m-deduped": 70_426_624,
    "EleutherAI/pythia-12b-deduped": 11_846_072_320,
    "allegrolab/hubble-1b-100b_toks-perturbed-hf": 1_179_191_296,
    "allenai/OLMo-2-0425-1B": 1_484_916_736,
    "allenai/Olmo-3-1025-7B": 7_298_011_136,
}


@pytest.mark.parametrize("name", STUDIES)
def test_what_a_rule_asks_for_is_within_a_factor_of_two_of_its_tensors(name):
    settings = study(name)
    asked = memory(n_parameters(settings, "unknown"), settings)
    for rule, counted in COUNTED.items():
        assert 0.5 < asked[rule] / counted[STUDIES.index(name)] < 2, rule


@pytest.mark.parametrize("name", SAID)
def test_a_name_says_how_large_a_model_is(name):
    settings = study("gpt-neo-125m", model={"source": "hub", "id": name})
    assert 0.6 < n_parameters(settings, "unknown") / SAID[name] < 1.2


def test_settings_say_how_large_a_model_is(tmp_path):
    unnamed = study("gpt-neo-125m", model={"source": "hub", "id": "lab/new"})
    assert n_parameters(unnamed, tmp_path) == UNKNOWN
    assert n_parameters(study("smollm2"), tmp_path) == 135e6
    embedded = study("config")
    model, vocabulary = embedded.model, embedded.data.vocabulary
    built = new_model(vocabulary, model.n_layers, model.n_heads, model.width, context=8, seed=0)
    assert n_parameters(embedded, tmp_path) == pytest.approx(built.num_parameters(), rel=0.01)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_folder_has_as_many_parameters_as_its_files_hold(dtype, tmp_path):
    model = TINY["gpt_neo"]().to(getattr(torch, dtype))
    model.save_pretrained(tmp_path)
    found = n_parameters(study("gpt-neo-125m"), tmp_path)
    assert found == pytest.approx(model.num_parameters(), rel=0.2)  # with the names of tensors


def test_on_a_gpu_the_machine_holds_the_model_only_while_it_is_loaded():
    cuda, score = Loading(device="cuda"), megabytes("score", 125e6, Loading())
    assert megabytes("edit", 125e6, cuda) == score < megabytes("edit", 125e6, Loading())
    assert megabytes("training", 125e6, cuda) == megabytes("training", 125e6, Loading()), "on the processor"


def test_half_precision_takes_half_but_of_weights_that_change():
    half, single = (
        [megabytes(kind, 1e9, Loading(dtype=dtype)) for kind in ("score", "edit", "training")]
        for dtype in ("bfloat16", "float32")
    )
    assert half[0] < single[0] and half[1:] == single[1:]


@pytest.fixture(scope="module", params=SIZES)
def folder(request, tmp_path_factory):
    """A model with random weights, of one size after the other."""
    path = tmp_path_factory.mktemp("model")
    new_model(50_304, *request.param, context=100, seed=0).save_pretrained(path)
    return path


@pytest.mark.stress
@pytest.mark.parametrize("kind", measure_memory.KINDS)
def test_what_a_kind_asks_for_is_near_the_measured_peak(folder, kind):
    script = [sys.executable, measure_memory.__file__, kind, str(folder)]
    run = subprocess.run(script, env=os.environ, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    n_weights = n_parameters(study("gpt-neo-125m"), folder)
    assert 0.5 < int(run.stdout) / 1e6 / megabytes(kind, n_weights, Loading()) < 1
