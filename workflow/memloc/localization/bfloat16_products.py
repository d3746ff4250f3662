"""Products of weights that stand still, in bfloat16, while a few others are trained.

Processors with bfloat16 multiply faster in it than in single precision (docs/benchmarks.md). What Adam moves
may not be rounded to it, because a step of 1e-5 is then lost. Therefore a matrix is multiplied

    none of whose weights move   in bfloat16
    a few of whose weights move  in bfloat16 as it was, plus its change in single precision, a sparse product
    others                       in single precision

Inputs and outputs of the model's layers, LayerNorms, attention and the unembedding stay as they are.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from memloc.localization.movable_gradients import few_weights_move, layer_of, sparse_matrix
from memloc.localization.weights import Movable
from memloc.model.components import editable_parameters


class Bfloat16Products:
    """The weights of a model that is about to be trained, in bfloat16; half of their memory is added."""

    def __init__(self, model: PreTrainedModel, movable: Movable) -> None:
        self._products = {
            name: _Product(layer_of(model, name), movable.get(name))
            for name in editable_parameters(model)
            if isinstance(layer_of(model, name), nn.Linear | Conv1D)
            and (name not in movable or few_weights_move(model, movable, name))
        }

    @contextmanager
    def used(self) -> Iterator[None]:
        """Within the context, passes of the model compute these products."""
        with ExitStack() as stack:
            for product in self._products.values():
                product.layer.forward = product
                stack.callback(delattr, product.layer, "forward")
            yield


class _Product:
    """What a layer computes: its weights as they were, in bfloat16, and how far a few of them have moved."""

    def __init__(self, layer: nn.Module, places: Int[Tensor, "place"] | None) -> None:
        self.layer, self._places = layer, places
        weight = layer.weight.detach()
        self._transposed = isinstance(layer, Conv1D)  # its weights are [in, out]
        self._weight = (weight.t() if self._transposed else weight).bfloat16().contiguous()
        if places is not None:
            self._before = weight.flatten()[places]
            n_rows, n_columns = weight.shape
            across = (places % n_columns) * n_rows + places // n_columns
            self._order = across.argsort()
            self._across = across[self._order]

    def __call__(self, inputs: Float[Tensor, "*row in"]) -> Float[Tensor, "*row out"]:
        output = functional.linear(inputs.bfloat16(), self._weight).float()
        if self._places is not None:
            output = output + _Sparse.apply(inputs, *self._moved())
        return output if self.layer.bias is None else output + self.layer.bias

    def _moved(self) -> tuple[Float[Tensor, "out in"], Float[Tensor, "in out"]]:
        """How far the weights have moved, and the same the other way round."""
        weight = self.layer.weight.detach()
        moved = weight.flatten()[self._places] - self._before
        one = sparse_matrix(self._places, weight.shape, moved)
        other = sparse_matrix(self._across, weight.shape[::-1], moved[self._order])
        return (other, one) if self._transposed else (one, other)


class _Sparse(torch.autograd.Function):
    """inputs @ matrix.T of a sparse matrix, and the gradient by the inputs."""

    @staticmethod
    def forward(
        ctx: Any,
        inputs: Float[Tensor, "*row in"],
        matrix: Float[Tensor, "out in"],
        across: Float[Tensor, "in out"],
    ) -> Float[Tensor, "*row out"]:
        ctx.across = across
        return _rows_times(inputs, matrix)

    @staticmethod
    def backward(ctx: Any, slope: Float[Tensor, "*row out"]) -> tuple[Tensor | None, ...]:
        return _rows_times(slope, ctx.across), None, None


def _rows_times(rows: Float[Tensor, "*row in"], matrix: Float[Tensor, "out in"]) -> Float[Tensor, "*row out"]:
    product = matrix @ rows.flatten(0, -2).t().contiguous()
    return product.t().reshape(*rows.shape[:-1], matrix.shape[0])
