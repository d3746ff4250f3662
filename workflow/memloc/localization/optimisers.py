"""Adam that moves selected weights only, and the authors' dense one (paper 5.3)."""

import torch
from transformers import PreTrainedModel

from memloc.localization.gradients import Gradients
from memloc.localization.weights import Movable
from memloc.model.components import editable_parameters

BETAS = (0.9, 0.999)
EPSILON = 1e-8
REFERENCE_WEIGHT_DECAY = 1.0


class SparseAdam:
    """Adam (Kingma and Ba, 2015) with moments for the movable weights only; no other weight is touched.

    Updates are those of `torch.optim.Adam` with its default settings, restricted to these weights.
    """

    def __init__(self, model: PreTrainedModel, movable: Movable, learning_rate: float) -> None:
        self._learning_rate, self._movable, self._n_steps = learning_rate, movable, 0
        # Flat views: writing to them writes to the model.
        self._weights = {name: model.get_parameter(name).detach().view(-1) for name in movable}
        moments = {name: torch.zeros_like(self._weights[name][movable[name]]) for name in movable}
        self._first = moments
        self._second = {name: torch.zeros_like(moment) for name, moment in moments.items()}

    @torch.no_grad()
    def step(self, gradients: Gradients) -> None:
        """Move the movable weights once, given the gradients at their places (`weights.at_places`)."""
        self._n_steps += 1
        rate = self._learning_rate / (1 - BETAS[0] ** self._n_steps)
        correction = (1 - BETAS[1] ** self._n_steps) ** 0.5
        for name, places in self._movable.items():
            gradient = gradients[name]
            first = self._first[name].lerp_(gradient, 1 - BETAS[0])
            second = self._second[name].mul_(BETAS[1]).addcmul_(gradient, gradient, value=1 - BETAS[1])
            moved = self._weights[name][places] - rate * first / ((second.sqrt() / correction) + EPSILON)
            self._weights[name][places] = moved


class ReferenceAdam:
    """The authors' optimiser: gradients are masked, but its coupled weight decay moves every W_* weight.

    Adam adds the decay to the gradient before normalising the sum, so a weight with a masked gradient takes
    steps as long as any other.
    """

    def __init__(self, model: PreTrainedModel, movable: Movable, learning_rate: float) -> None:
        self._movable = movable
        self._parameters = {name: model.get_parameter(name) for name in editable_parameters(model)}
        self._adam = torch.optim.Adam(
            self._parameters.values(), lr=learning_rate, weight_decay=REFERENCE_WEIGHT_DECAY
        )

    def step(self, gradients: Gradients) -> None:
        """Move every W_* weight once, given the gradients at the movable places."""
        for name, parameter in self._parameters.items():
            parameter.grad = torch.zeros_like(parameter)
            if name in self._movable:
                parameter.grad.view(-1)[self._movable[name]] = gradients[name]
        self._adam.step()
        self._adam.zero_grad()
