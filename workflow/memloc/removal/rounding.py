"""Weights rounded to few bits, as on small machines: a removed paragraph may come back.

Symmetric, to the nearest, with a scale for every output channel; embeddings and biases are kept (2410.16454).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers import PreTrainedModel

from memloc.model.components import editable_parameters


@contextmanager
def rounded(model: PreTrainedModel, bits: int) -> Iterator[None]:
    """Within the context every W_* weight is rounded; afterwards it is as it was, bit for bit."""
    kept = {name: model.get_parameter(name).detach().clone() for name in editable_parameters(model)}
    try:
        for name, weight in kept.items():
            inputs = 1 if isinstance(model.get_submodule(name.removesuffix(".weight")), nn.Linear) else 0
            model.get_parameter(name).data.copy_(to_grid(weight, bits, inputs))
        yield
    finally:
        for name, weight in kept.items():
            model.get_parameter(name).data.copy_(weight)


def to_grid(weight: Float[Tensor, "row column"], bits: int, inputs: int) -> Float[Tensor, "row column"]:
    """The nearest of 2^bits - 1 values from minus the largest weight of its output channel to the largest.

    `inputs` is the axis over which a channel's weights lie.
    """
    largest = weight.abs().amax(dim=inputs, keepdim=True)
    step = (largest / (2 ** (bits - 1) - 1)).clamp(min=torch.finfo(weight.dtype).tiny)
    return (weight / step).round() * step
