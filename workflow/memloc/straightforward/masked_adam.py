"""Unlearning and planting with a dense optimiser and masked gradients."""

import copy
from collections.abc import Callable, Mapping

import torch
from jaxtyping import Bool, Int
from torch import Tensor
from transformers import PreTrainedModel

from memloc.model.components import editable_parameters
from memloc.straightforward.gradients import kl, nll

Masks = Mapping[str, Bool[Tensor, "..."]]


def train(
    model: PreTrainedModel,
    tokens: Int[Tensor, "paragraph token"],
    keep: Int[Tensor, "kept token"],
    n_prefix: int,
    choose: Callable[[dict[str, Tensor]], Masks],
    learning_rate: float,
    steps: int,
    nll_weight: float = -1.0,
    kl_weight: float = 1.0,
) -> None:
    """Steps of Adam on the weighted NLL and the kept paragraphs' weighted KL divergence per token (Eq. 3).

    All W_* weights get gradients and Adam's state, all layers run at every step, and the original model runs
    the kept paragraphs again. Masks are chosen by the gradients of the first step; weights without a mask
    stay.
    """
    original = copy.deepcopy(model)
    weights = {name: model.get_parameter(name) for name in editable_parameters(model)}
    adam = torch.optim.Adam(weights.values(), lr=learning_rate)
    masks: Masks = {}
    for _ in range(steps):
        model.zero_grad()
        loss = nll_weight * nll(model, tokens, n_prefix)
        if len(keep):
            loss = loss + kl_weight * kl(model, original, keep, n_prefix) / (tokens.shape[1] - n_prefix)
        loss.backward()
        masks = masks or choose({name: weight.grad for name, weight in weights.items()})
        for name, weight in weights.items():
            weight.grad *= masks.get(name, 0)
        adam.step()


def largest(fraction: float) -> Callable[[dict[str, Tensor]], Masks]:
    """Choose the share of all weights with the largest |gradient|."""

    def choose(gradients: dict[str, Tensor]) -> Masks:
        sizes = torch.cat([gradient.abs().flatten() for gradient in gradients.values()])
        threshold = sizes.topk(max(1, round(fraction * len(sizes)))).values[-1]
        return {name: gradient.abs() >= threshold for name, gradient in gradients.items()}

    return choose
