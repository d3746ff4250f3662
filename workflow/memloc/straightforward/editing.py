"""Unlearning with masked Adam, judged by decoding."""

from typing import NamedTuple

import torch
from jaxtyping import Int
from torch import Tensor
from transformers import PreTrainedModel

from memloc.model.components import editable_parameters
from memloc.straightforward.decoding import generate, matching, mean_nll
from memloc.straightforward.gradients import nll
from memloc.straightforward.masked_adam import largest, train


class Texts(NamedTuple):
    """The paragraph, and the texts around it that show what its removal costs."""

    memorized: Int[Tensor, "1 token"]
    control: Int[Tensor, "control token"]
    other: Int[Tensor, "other token"]
    held_out: Int[Tensor, "held_out token"]
    perturbed: Int[Tensor, "perturbation token"]


def unlearn_and_judge(
    model: PreTrainedModel,
    texts: Texts,
    n_prefix: int,
    fraction: float,
    learning_rate: float,
    steps: int,
    relearning_limit: int,
) -> dict[str, float | None]:
    """Move the weights with the largest gradients, and say what became of the texts; the model is changed."""
    train(model, texts.memorized, texts.control, n_prefix, largest(fraction), learning_rate, steps)
    found = judge(model, texts, n_prefix)
    decoded = generate(model, texts.perturbed[:, :n_prefix], texts.perturbed.shape[1] - n_prefix)
    recited = (decoded == texts.memorized[:, n_prefix:]).all(dim=1).float().mean().item()
    again = relearn(model, texts.memorized, n_prefix, learning_rate, relearning_limit)
    return found | {"recited": recited, "relearning_steps": again}


def judge(model: PreTrainedModel, texts: Texts, n_prefix: int) -> dict[str, float]:
    """Mean EM and NLL of each kind of text, decoded and passed by itself."""
    found = {}
    for name in ("memorized", "control", "other", "held_out"):
        tokens = getattr(texts, name)
        decoded = generate(model, tokens[:, :n_prefix], tokens.shape[1] - n_prefix)
        found[f"em_{name}"] = matching(decoded, tokens[:, n_prefix:]).float().mean().item()
        found[f"nll_{name}"] = mean_nll(model, tokens, n_prefix).mean().item()
    del found["em_held_out"]  # its continuation is the corpus's
    return found


def relearn(
    model: PreTrainedModel, memorized: Int[Tensor, "1 token"], n_prefix: int, learning_rate: float, limit: int
) -> int | None:
    """Steps of Adam on the NLL, over all W_* weights, until the paragraph is recited; None beyond `limit`."""
    adam = torch.optim.Adam([model.get_parameter(name) for name in editable_parameters(model)], learning_rate)
    for step in range(limit + 1):
        decoded = generate(model, memorized[:, :n_prefix], memorized.shape[1] - n_prefix)
        if torch.equal(decoded, memorized[:, n_prefix:]):
            return step
        if step < limit:
            model.zero_grad()
            nll(model, memorized, n_prefix).backward()
            adam.step()
    return None
