"""Unlearning written out: a mask for every weight, and a dense optimiser whose gradients they mask."""

import copy
from collections.abc import Callable, Mapping

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from plain_gradients import kl, nll
from plain_hooks import PLACES, columns
from plain_runs import n_heads
from torch import Tensor
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from memloc.localization.ablation import Head
from memloc.model.subject import Subject
from memloc.model.weights import Movable, marked

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


def masks(model: PreTrainedModel, movable: Movable) -> Masks:
    """One truth value per W_* weight: whether it may move."""
    return {name: mark > 0 for name, mark in marked(Subject(model, 1), movable).items()}


def moved(model: PreTrainedModel) -> PreTrainedModel:
    """A copy with other W_* weights than θ0."""
    model = copy.deepcopy(model)
    torch.manual_seed(3)
    with torch.no_grad():
        for parameter in Subject(model, 1).weights.values():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model


def matrices(model: PreTrainedModel) -> dict[str, Tensor]:
    """The weight matrices of all layers, by name."""
    layers, _ = PLACES[model.config.model_type]
    named = model.named_parameters()
    return {name: weight for name, weight in named if name.startswith(layers) and weight.ndim == 2}


def arm_masks(
    model: PreTrainedModel,
    arm: str,
    fraction: float,
    head: Head,
    gradients: Mapping[str, Tensor],
    random: np.random.Generator,
) -> Masks:
    """Which weights an arm moves, given the NLL's gradients at the start."""
    weights = matrices(model)
    n_chosen = round(fraction * sum(weight.numel() for weight in weights.values()))
    if arm == "all":
        return {name: torch.ones_like(weight, dtype=torch.bool) for name, weight in weights.items()}
    if arm == "top":
        sizes = sorted(float(size) for own in gradients.values() for size in own.abs().flatten())
        return {name: own.abs() >= sizes[-n_chosen] for name, own in gradients.items()}
    return {"head": lambda: _of_head(model, *head), "random": lambda: _random(model, n_chosen, random)}[arm]()


def _of_head(model: PreTrainedModel, layer: int, head: int) -> Masks:
    """What makes a head's q, k and v, and what its z is multiplied by."""
    layers, places = PLACES[model.config.model_type]
    masks = {name: torch.zeros_like(weight, dtype=torch.bool) for name, weight in matrices(model).items()}
    for component in "qkvz":
        name, _ = places[component]
        module = model.get_submodule(f"{layers}.{layer}.{name}")
        mask = masks[f"{layers}.{layer}.{name}.weight"]
        outputs_first = mask.T if isinstance(module, Conv1D) else mask
        own = head * n_heads(model, component) // n_heads(model, "q")
        rows = outputs_first.T if component == "z" else outputs_first
        rows[columns(model, component, own)] = True
    return masks


def _random(model: PreTrainedModel, n_chosen: int, random: np.random.Generator) -> Masks:
    """Weights are numbered one matrix after the other, in the order of the library."""
    masks = {name: torch.zeros_like(weight, dtype=torch.bool) for name, weight in matrices(model).items()}
    places = [(name, place) for name in Subject(model, 1).weights for place in range(masks[name].numel())]
    for number in random.choice(len(places), n_chosen, replace=False, shuffle=False):
        name, place = places[number]
        masks[name].view(-1)[place] = True
    return masks
