"""Gradients of the movable weights alone.

The gradient of a linear layer's weights is a product of slopes and inputs over all tokens, a third of the
work of a training step. Where few and scattered weights move, it is computed at their places only (a sampled
dense-dense product).
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from memloc.editing.gradients import Gradients, editable_gradients
from memloc.editing.masks import Movable, at_places
from memloc.model.components import editable_parameters

MOST_SAMPLED = 0.03  # share of a matrix up to which its places alone take half as long as the whole product


@contextmanager
def movable_gradients(model: PreTrainedModel, movable: Movable) -> Iterator[Callable[[], Gradients]]:
    """Within this context only movable weights collect gradients; the function takes them out of the model.

    It returns a flat gradient for every parameter in `movable`, at its places.
    """
    sampled = {name for name in movable if few_weights_move(model, movable, name)}
    with editable_gradients(model), ExitStack() as added:
        for name in editable_parameters(model):
            model.get_parameter(name).requires_grad_(name in movable and name not in sampled)
        for name in sampled:
            layer = layer_of(model, name)
            zeros = torch.zeros(len(movable[name]), device=layer.weight.device)
            pattern = sparse_matrix(movable[name], layer.weight.shape, zeros)
            # Its gradient is collected like that of other parameters, and cleared with them.
            layer.register_parameter("sampled", nn.Parameter(torch.zeros_like(zeros)))
            added.callback(delattr, layer, "sampled")
            added.enter_context(layer.register_forward_hook(_Sampling(pattern)))
        yield lambda: _take(model, movable, sampled)


def few_weights_move(model: PreTrainedModel, movable: Movable, name: str) -> bool:
    """Whether few weights of a parameter move, of a layer whose product is known, on a processor."""
    weight, places = model.get_parameter(name), movable[name]
    known = isinstance(layer_of(model, name), nn.Linear | Conv1D)
    known &= weight.dtype == torch.float32 and weight.device.type == "cpu"
    return known and isinstance(places, Tensor) and len(places) <= MOST_SAMPLED * weight.numel()


def layer_of(model: PreTrainedModel, name: str) -> nn.Module:
    """The layer that multiplies with a parameter."""
    return model.get_submodule(name.removesuffix(".weight"))


def sparse_matrix(
    places: Int[Tensor, "place"], shape: tuple[int, int], values: Float[Tensor, "place"]
) -> Float[Tensor, "row column"]:
    """A sparse matrix (CSR) that has the values at the places, which ascend, and nothing elsewhere."""
    n_rows, n_columns = shape
    starts = torch.arange(0, n_rows + 1, device=values.device) * n_columns
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta", UserWarning)
        return torch.sparse_csr_tensor(
            torch.searchsorted(places, starts),
            places % n_columns,
            values,
            (n_rows, n_columns),
            check_invariants=False,
        )


class _Sampling:
    """Forward hook of a linear layer: its backward pass gives the gradient at the places of the pattern."""

    def __init__(self, pattern: Float[Tensor, "row column"]) -> None:
        self._pattern = pattern

    def __call__(self, layer: nn.Module, inputs: tuple[Tensor], output: Tensor) -> Tensor:
        transposed = isinstance(layer, Conv1D)
        return _Sampled.apply(output, inputs[0].detach(), layer.sampled, self._pattern, transposed)


class _Sampled(torch.autograd.Function):
    """A layer's output as it is; its slope gives the gradient of the layer's weights at some places."""

    @staticmethod
    def forward(
        ctx: Any,
        output: Float[Tensor, "*token out"],
        inputs: Float[Tensor, "*token in"],
        sampled: Float[Tensor, "place"],
        pattern: Float[Tensor, "row column"],
        transposed: bool,
    ) -> Float[Tensor, "*token out"]:
        ctx.save_for_backward(inputs)
        ctx.pattern, ctx.transposed = pattern, transposed
        return output.view_as(output)

    @staticmethod
    def backward(ctx: Any, slope: Float[Tensor, "*token out"]) -> tuple[Tensor | None, ...]:
        (inputs,) = ctx.saved_tensors
        left, right = slope.flatten(0, -2), inputs.flatten(0, -2)
        if ctx.transposed:
            left, right = right, left
        gradient = torch.sparse.sampled_addmm(ctx.pattern, left.t(), right, beta=0).values()
        return slope, None, gradient, None, None


def _take(model: PreTrainedModel, movable: Movable, sampled: set[str]) -> Gradients:
    found = {name: layer_of(model, name).sampled.grad for name in sampled}
    whole = {name: places for name, places in movable.items() if name not in sampled}
    found |= at_places({name: model.get_parameter(name).grad for name in whole}, whole)
    model.zero_grad(set_to_none=True)
    return found
