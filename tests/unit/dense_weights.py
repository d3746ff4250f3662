"""Weights of a model one by one: which of them may move, and others than it has."""

import copy

import torch
from torch import Tensor
from transformers import PreTrainedModel

from memloc.model.subject import Subject
from memloc.model.weights import Movable, marked


def masks(model: PreTrainedModel, movable: Movable) -> dict[str, Tensor]:
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
