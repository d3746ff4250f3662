"""Arms written out: a mask for every weight."""

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Bool
from plain_hooks import PLACES, columns
from plain_runs import n_heads
from torch import Tensor
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from memloc.localization.ablation import Head
from memloc.model.subject import Subject

Masks = dict[str, Bool[Tensor, "..."]]


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
