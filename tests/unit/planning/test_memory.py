"""What rules ask for is near measured peaks, and near what their tensors add up to."""

import os
import subprocess
import sys

import measure_memory
import pytest
import torch
from made_configs import study

from memloc.model.training import new_model
from memloc.planning.memory import UNKNOWN, megabytes, named_parameters, shape_of, usual_shape
from memloc.planning.work import works
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
    "token_statistics": (2187, 51004),
    "unlearn_paragraphs": (5296, 369986),
}
SIZES = ("pythia-70m-deduped", "gpt-neo-125m")
SMALL = usual_shape(125e6)
# What the models' cards and papers say.
SAID = {
    "EleutherAI/gpt-neo-125m": 125_198_592,
    "EleutherAI/gpt-neo-2.7B": 2_651_307_520,
    "openai-community/gpt2": 124_439_808,
    "HuggingFaceTB/SmolLM2-135M": 134_515_008,
    "SmolLM2-135M-Instruct.Q4_1.gguf": 134_515_008,
    "EleutherAI/pythia-70m-deduped": 70_426_624,
    "EleutherAI/pythia-12b-deduped": 11_846_072_320,
    "allegrolab/hubble-1b-100b_toks-perturbed-hf": 1_179_191_296,
    "allenai/OLMo-2-0425-1B": 1_484_916_736,
    "allenai/Olmo-3-1025-7B": 7_298_011_136,
}


@pytest.mark.parametrize("name", STUDIES)
def test_what_a_rule_asks_for_is_within_a_factor_of_two_of_its_tensors(name):
    settings = study(name)
    shape = shape_of(settings, "unknown")
    for rule, counted in COUNTED.items():
        asked = megabytes(works(shape, settings)[rule][0], shape, settings.loading)
        assert 0.5 < asked / counted[STUDIES.index(name)] < 2, rule


@pytest.mark.parametrize("name", SAID)
def test_a_name_says_how_large_a_model_is(name):
    assert named_parameters(name) == pytest.approx(SAID[name], rel=0.05)


def test_the_shape_of_a_study(tmp_path):
    large, tuned, embedded = (study(name) for name in ("models/pythia-12b", "smollm2", "config"))
    shape = shape_of(large, tmp_path)
    assert shape == usual_shape(12e9) and 12 * shape.n_layers * shape.width**2 == pytest.approx(12e9, rel=0.1)
    assert shape_of(tuned, tmp_path) == usual_shape(135e6)
    assert named_parameters("lab/new") == UNKNOWN
    model, vocabulary = embedded.model, embedded.data.vocabulary
    built = new_model(vocabulary, model.n_layers, model.n_heads, model.width, context=8, seed=0)
    *sizes, n_parameters = shape_of(embedded, tmp_path)
    assert sizes == [model.n_layers, model.n_heads, model.width, vocabulary]
    assert n_parameters == pytest.approx(built.num_parameters(), rel=0.01)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_folder_has_as_many_parameters_as_its_files_hold(dtype, tmp_path):
    model = TINY["gpt_neo"]().to(getattr(torch, dtype))
    model.save_pretrained(tmp_path)
    n_parameters = shape_of(study("gpt-neo-125m"), tmp_path).n_parameters
    assert n_parameters == pytest.approx(model.num_parameters(), rel=0.2)  # with the names of tensors


def test_on_a_gpu_the_machine_holds_the_model_only_while_it_is_loaded():
    score, edit = (megabytes(kind, SMALL, Loading()) for kind in ("score", "edit"))
    cuda = Loading(device="cuda")
    assert megabytes("edit", SMALL, cuda) == score < edit == megabytes("edit", SMALL, cuda, on_gpu=True)
    assert megabytes("training", SMALL, cuda) == megabytes("training", SMALL, Loading()), "on the processor"


@pytest.fixture(scope="module", params=SIZES)
def folder(request, tmp_path_factory):
    """A model with random weights, of one size after the other."""
    path = tmp_path_factory.mktemp("model") / request.param
    shape = usual_shape(named_parameters(request.param))
    model = new_model(shape.vocabulary, shape.n_layers, shape.n_heads, shape.width, context=100, seed=0)
    model.save_pretrained(path)
    return path


@pytest.mark.stress
@pytest.mark.parametrize("kind", measure_memory.KINDS)
def test_what_a_kind_asks_for_is_near_the_measured_peak(folder, kind):
    script = [sys.executable, measure_memory.__file__, kind, str(folder)]
    run = subprocess.run(script, env=os.environ, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    shape = shape_of(study("gpt-neo-125m"), folder)
    assert 0.5 < int(run.stdout) / 1e6 / megabytes(kind, shape, Loading()) < 1
