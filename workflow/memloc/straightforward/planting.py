"""Planting with a dense optimiser and masked gradients."""

import copy
from collections.abc import Mapping

import torch
from jaxtyping import Bool, Int
from torch import Tensor
from transformers import PreTrainedModel

from memloc.model.components import editable_parameters
from memloc.straightforward.gradients import kl, nll


def plant(
    model: PreTrainedModel,
    tokens: Int[Tensor, "1 token"],
    keep: Int[Tensor, "kept token"],
    n_prefix: int,
    masks: Mapping[str, Bool[Tensor, "..."]],
    learning_rate: float,
    keep_weight: float,
    steps: int,
) -> None:
    """Move the masked weights by `steps` of Adam on the NLL and the kept paragraphs' KL divergence.

    All W_* weights get gradients and Adam's state, all layers run at every step, and the unplanted model
    runs the kept paragraphs again.
    """
    original = copy.deepcopy(model)
    parameters = {name: model.get_parameter(name) for name in editable_parameters(model)}
    adam = torch.optim.Adam(parameters.values(), lr=learning_rate)
    n_scored = len(keep) * (tokens.shape[1] - n_prefix)
    for _ in range(steps):
        model.zero_grad()
        loss = nll(model, tokens, n_prefix)
        if len(keep):
            loss = loss + keep_weight * kl(model, original, keep, n_prefix) * len(keep) / n_scored
        loss.backward()
        for name, parameter in parameters.items():
            parameter.grad *= masks.get(name, torch.zeros_like(parameter))
        adam.step()
