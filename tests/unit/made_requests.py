"""Requests to remove paragraphs from tiny models, and what a way makes of the weights."""

import copy
from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor
from transformers import PreTrainedModel

from memloc.model.subject import Subject
from memloc.removal.registry import WAYS, Way, in_force
from memloc.removal.request import Request, Setting
from memloc.settings.remove import Remove
from tiny_models import VOCABULARY

N_PREFIX = 10
HEADS = [(0, 1), (1, 2), (0, 0), (0, 2), (0, 3), (1, 0), (1, 1), (1, 3)]
# A comparison of ways that takes a second.
SMALL = {
    "n_joint": 4,
    "n_single": 2,
    "n_validation": 2,
    "n_keep": 3,
    "n_judging": 4,
    "n_perturbations": 3,
    "relearning_limit": 2,
    "relearning_rate": 1e-2,
    "steps": 4,
    "fraction": 0.05,
    "unlearning": [1e-3, 1e-2],
    "balanced_subnet": [0.02],
    "neurons": [0.02, 0.1],
    "ngram_blocklist": [2, 3],
    "heads": [1, 2],
    "svd": [0.3],
    "kfac": [0.3],
}


def subject(model: PreTrainedModel, micro_batch: int = 4) -> Subject:
    """The subject of removals."""
    return Subject(model, N_PREFIX, micro_batch)


def other_text(n: int, length: int = 24, seed: int = 5) -> Int[Tensor, "paragraph token"]:
    """Random paragraphs, which no model knows."""
    return torch.randint(VOCABULARY, (n, length), generator=torch.Generator().manual_seed(seed))


def request(model: PreTrainedModel, tokens: Int[Tensor, "paragraph token"], seed: int = 0, **how) -> Request:
    """Take paragraphs out of a model, with other settings of `remove` in place of some."""
    asked, random = Remove(**{"n_keep": 3} | how), np.random.default_rng(seed)
    return Request(subject(model), tokens, other_text(3), other_text(4, seed=6), HEADS, asked, random)


def changed_by(name: str, asked: Request, setting: Setting) -> dict[str, Tensor]:
    """Weights after an edit; the model has its own ones back."""
    with in_force(asked.subject, WAYS[name], WAYS[name].prepare(asked), setting):
        return copy.deepcopy(asked.subject.model.state_dict())


def assert_same_weights(found: dict[str, Tensor], model: PreTrainedModel, **close: float) -> None:
    """Weights that were found are those of a model, as close as `torch.testing.assert_close` is told."""
    torch.testing.assert_close(found, model.state_dict(), **close)


def meddling(parameter: str) -> Way:
    """A way that changes a row of weights, and names none."""

    def prepare(request: Request) -> Callable[[Setting], dict]:
        def change(setting: Setting) -> dict:
            request.subject.model.get_parameter(parameter).data[0] += 1
            return {}

        return change

    return Way(prepare, ("x",), "svd")


def mlp_matrices(model: PreTrainedModel) -> list[str]:
    """Parameters of the MLPs' weights."""
    return [name for name in subject(model).weights if ".mlp." in name]
