"""Unlearning with a dense optimiser and masked gradients."""

import copy

import torch
from jaxtyping import Int
from torch import Tensor
from transformers import PreTrainedModel

from memloc.model.components import editable_parameters
from memloc.straightforward.gradients import kl, nll


def unlearn(
    model: PreTrainedModel,
    memorized: Int[Tensor, "1 token"],
    controls: Int[Tensor, "control token"],
    n_prefix: int,
    fraction: float,
    learning_rate: float,
    steps: int,
) -> None:
    """Change the W_* weights with the largest |gradient| at the first step, by Adam on the objective (Eq. 3).

    The original model runs the controls again at every step; the mask multiplies every gradient.
    """
    original = copy.deepcopy(model)
    parameters = [model.get_parameter(name) for name in editable_parameters(model)]
    adam = torch.optim.Adam(parameters, lr=learning_rate)
    n_continuation, threshold = memorized.shape[1] - n_prefix, None
    masks: list[Tensor] = []
    for _ in range(steps):
        model.zero_grad()
        divergence = kl(model, original, controls, n_prefix) / n_continuation
        (divergence - nll(model, memorized, n_prefix)).backward()
        if not masks:
            sizes = torch.cat([parameter.grad.abs().flatten() for parameter in parameters])
            threshold = sizes.topk(max(1, round(fraction * len(sizes)))).values[-1]
            masks = [parameter.grad.abs() >= threshold for parameter in parameters]
        for parameter, mask in zip(parameters, masks, strict=True):
            parameter.grad *= mask
        adam.step()
