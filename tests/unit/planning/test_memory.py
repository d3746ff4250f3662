"""What rules ask for is near measured peaks, and near what their tensors add up to."""

import os
import subprocess
import sys

import measure_memory
import pytest
import torch
from made_configs import study

from memloc.planning.measure import random_model
from memloc.planning.memory import megabytes
from memloc.planning.shapes import PUBLISHED, shape_of
from memloc.planning.work import works
from memloc.settings.loading import Loading

STUDIES = ("gpt-neo-125m", "models/pythia-12b")
# MB of the tensors that each rule holds at its peak, counted one by one (weights, copies, gradients, what
# autograd keeps, activations, logits, rows of large tables) and 700 MB of the process, for these studies.
COUNTED = {
    "ablate_heads": (1941, 51167),
    "activation_gradients": (3226, 69726),
    "attention": (1707, 52719),
    "bypass_layers": (1941, 51167),
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
SMALL = PUBLISHED["EleutherAI/gpt-neo-125m"]


@pytest.mark.parametrize("name", STUDIES)
def test_what_a_rule_asks_for_is_within_a_factor_of_two_of_its_tensors(name):
    settings = study(name)
    shape = shape_of(settings, "unknown")
    for rule, counted in COUNTED.items():
        asked = megabytes(works(shape, settings)[rule].kind, shape, settings.loading)
        assert 0.5 < asked / counted[STUDIES.index(name)] < 2, rule


def test_on_a_gpu_the_machine_holds_the_model_only_while_it_is_loaded():
    score, edit = (megabytes(kind, SMALL, Loading()) for kind in ("score", "edit"))
    cuda = Loading(device="cuda")
    assert megabytes("edit", SMALL, cuda) == score < edit == megabytes("edit", SMALL, cuda, on_gpu=True)
    assert megabytes("training", SMALL, cuda) == megabytes("training", SMALL, Loading()), "on the processor"


@pytest.fixture(scope="module", params=SIZES)
def folder(request, tmp_path_factory):
    """A model with random weights, of one size after the other."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("model") / request.param
    random_model(PUBLISHED[f"EleutherAI/{request.param}"]).save_pretrained(path)
    return path


@pytest.mark.stress
@pytest.mark.parametrize("kind", measure_memory.KINDS)
def test_what_a_kind_asks_for_is_near_the_measured_peak(folder, kind):
    script = [sys.executable, measure_memory.__file__, kind, str(folder)]
    run = subprocess.run(script, env=os.environ, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    shape = PUBLISHED[f"EleutherAI/{folder.name}"]._replace(tied=True)
    assert 0.5 < int(run.stdout) / 1e6 / megabytes(kind, shape, Loading()) < 1
