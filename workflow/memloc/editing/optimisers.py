"""Adam that moves selected weights only, and the authors' dense one (paper 5.3)."""

import torch
from torch import Tensor

from memloc.editing.gradients import Gradients
from memloc.model.subject import Subject
from memloc.model.weights import Movable

REFERENCE_WEIGHT_DECAY = 1.0


class SparseAdam:
    """Adam (Kingma and Ba, 2015) with moments for the movable weights only; no other weight is touched.

    Updates are those of `torch.optim.Adam` with its default settings, restricted to these weights.
    """

    def __init__(self, subject: Subject, movable: Movable, learning_rate: float) -> None:
        self._movable = movable
        # Flat views: writing to them writes to the model.
        self._weights = {name: subject.model.get_parameter(name).detach().view(-1) for name in movable}
        # A view if a whole parameter moves, else a copy: nothing else may change these weights meanwhile.
        self._moved = {name: self._weights[name][places] for name, places in movable.items()}
        # Fused: one pass over weights and moments takes a tenth of the time of one operation after the other.
        self._adam = torch.optim.Adam(self._moved.values(), lr=learning_rate, fused=True)

    @torch.no_grad()
    def step(self, gradients: Gradients) -> None:
        """Move the movable weights once, given the gradients of their parameters."""
        for name, places in self._movable.items():
            self._moved[name].grad = gradients[name].reshape(-1)[places]
        self._adam.step()
        self._adam.zero_grad()
        for name, places in self._movable.items():
            if isinstance(places, Tensor):
                self._weights[name][places] = self._moved[name]


class ReferenceAdam:
    """The authors' optimiser: gradients are masked, but its coupled weight decay moves every W_* weight.

    Adam adds the decay to the gradient before normalising the sum, so a weight with a masked gradient takes
    steps as long as any other.
    """

    def __init__(self, subject: Subject, movable: Movable, learning_rate: float) -> None:
        self._movable = movable
        self._parameters = subject.weights
        self._adam = torch.optim.Adam(
            self._parameters.values(), lr=learning_rate, weight_decay=REFERENCE_WEIGHT_DECAY
        )

    def step(self, gradients: Gradients) -> None:
        """Move every W_* weight once, given the gradients of the movable weights' parameters."""
        for name, parameter in self._parameters.items():
            parameter.grad = torch.zeros_like(parameter)
            if name in self._movable:
                places = self._movable[name]
                parameter.grad.view(-1)[places] = gradients[name].reshape(-1)[places]
        self._adam.step()
        self._adam.zero_grad()
