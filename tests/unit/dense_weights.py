"""Weights of a model one by one: which of them may move, and others than it has."""

import copy

import torch
from torch import Tensor
from transformers import PreTrainedModel

from memloc.editing.masks import Movable
from memloc.model.components import editable_parameters


def masks(model: PreTrainedModel, movable: Movable) -> dict[str, Tensor]:
    """One truth value per W_* weight: whether it may move."""
    found = {}
    for name in editable_parameters(model):
        found[name] = torch.zeros_like(model.get_parameter(name), dtype=torch.bool)
        if name in movable:
            found[name].view(-1)[movable[name]] = True
    return found


def moved(model: PreTrainedModel) -> PreTrainedModel:
    """A copy with other W_* weights than θ0."""
    model = copy.deepcopy(model)
    torch.manual_seed(3)
    with torch.no_grad():
        for name in editable_parameters(model):
            parameter = model.get_parameter(name)
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model
