"""Unlearning with a dense optimiser and masked gradients."""

import copy
from collections.abc import Callable, Mapping

import torch
from jaxtyping import Bool, Float, Int
from plain_gradients import kl, nll
from torch import Tensor
from transformers import PreTrainedModel

from memloc.model.subject import Subject

Masks = Mapping[str, Bool[Tensor, "..."]]
Loss = Callable[[PreTrainedModel, PreTrainedModel], Float[Tensor, ""]]
"""The loss of a model, given the original one."""


def objective(
    tokens: Int[Tensor, "paragraph token"],
    keep: Int[Tensor, "kept token"],
    n_prefix: int,
    kl_weight: float = 1.0,
) -> Loss:
    """Minus the NLL, and the kept paragraphs' weighted KL divergence per token (Eq. 3)."""

    def loss(model: PreTrainedModel, original: PreTrainedModel) -> Float[Tensor, ""]:
        value = -nll(model, tokens, n_prefix)
        if len(keep):
            value = value + kl_weight * kl(model, original, keep, n_prefix) / (tokens.shape[1] - n_prefix)
        return value

    return loss


def train(
    model: PreTrainedModel,
    loss: Loss,
    choose: Callable[[dict[str, Tensor]], Masks],
    learning_rate: float,
    steps: int,
) -> None:
    """Steps of Adam down the loss.

    All W_* weights get gradients and Adam's state. At every step all layers run, and the original model runs
    the kept paragraphs again. The gradients of the first step choose the masks; weights without a mask stay.
    """
    original = copy.deepcopy(model)
    weights = Subject(model, 1).weights
    adam = torch.optim.Adam(weights.values(), lr=learning_rate)
    masks: Masks = {}
    for _ in range(steps):
        model.zero_grad()
        loss(model, original).backward()
        masks = masks or choose({name: weight.grad for name, weight in weights.items()})
        for name, weight in weights.items():
            weight.grad *= masks.get(name, 0)
        adam.step()


def largest(fraction: float) -> Callable[[dict[str, Tensor]], Masks]:
    """A function that chooses the share of all weights with the largest |gradient|."""

    def choose(gradients: dict[str, Tensor]) -> Masks:
        sizes = torch.cat([gradient.abs().flatten() for gradient in gradients.values()])
        threshold = sizes.topk(max(1, round(fraction * len(sizes)))).values[-1]
        return {name: gradient.abs() >= threshold for name, gradient in gradients.items()}

    return choose
