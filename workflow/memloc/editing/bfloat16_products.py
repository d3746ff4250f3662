"""Products of training in bfloat16 wherever rounding loses no step.

Processors with bfloat16 multiply faster in it than in single precision (docs/benchmarks.md). What Adam moves
may not be rounded to it, because a step of 1e-5 is then lost. Gradients may: their rounding is relative to
their size. Slopes, of which gradients are made, are therefore multiplied in bfloat16, with weights and with
inputs. Outputs, and all losses, are those of single precision, unless outputs are asked for too. Then a
matrix is multiplied

    none of whose weights move   in bfloat16
    a few of whose weights move  in bfloat16 as it was, plus its change in single precision, a sparse product
    others                       in single precision

Inputs and outputs of the model's layers, LayerNorms, attention and logits stay as they are. So do all layers
below the lowest one that moves: no slope reaches them, and passes of either kind may share what they give.
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

from memloc.editing.masks import Movable, lowest_layer
from memloc.editing.movable_gradients import few_weights_move, layer_of, sparse_matrix
from memloc.model.components import components
from memloc.model.partial_forward import computed_by


class Bfloat16Products:
    """Multiplies the slopes of a model that is about to be trained in bfloat16, and with `outputs` also what
    its layers give where no step is lost. Matrices that stand still, or whose outputs are rounded, are held
    in bfloat16 too: half of their memory more.
    """

    def __init__(self, model: PreTrainedModel, movable: Movable, outputs: bool) -> None:
        self._products: list[_Product | _Slopes] = [_Slopes(model.get_output_embeddings(), still=True)]
        lowest = lowest_layer(model, movable)
        for name in dict.fromkeys(each.parameter for each in components(model) if each.layer >= lowest):
            layer, still = layer_of(model, name), name not in movable
            if not isinstance(layer, nn.Linear | Conv1D):
                continue
            rounded = outputs and (still or few_weights_move(model, movable, name))
            self._products.append(_Product(layer, movable.get(name)) if rounded else _Slopes(layer, still))

    @property
    def round_outputs(self) -> bool:
        """Whether passes of the model give other values with these products."""
        return any(isinstance(product, _Product) for product in self._products)

    @contextmanager
    def used(self) -> Iterator[None]:
        """Within the context, passes of the model compute these products."""
        with ExitStack() as stack:
            for product in self._products:
                stack.enter_context(computed_by(product.layer, product))
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


class _Slopes:
    """What a layer computes, as it does; gradients in bfloat16."""

    def __init__(self, layer: nn.Module, still: bool) -> None:
        self.layer, self._forward = layer, layer.forward
        self._kept = self._weight().detach().bfloat16() if still else None

    def __call__(self, inputs: Float[Tensor, "*row in"]) -> Float[Tensor, "*row out"]:
        inputs = inputs.to(self.layer.weight.device)  # of a model that is spread over GPUs
        with torch.no_grad():
            output = self._forward(inputs)
        return _Trained.apply(output, inputs, self._weight() if self._kept is None else self._kept)

    def _weight(self) -> Float[Tensor, "out in"]:
        return self.layer.weight.t() if isinstance(self.layer, Conv1D) else self.layer.weight


class _Trained(torch.autograd.Function):
    """An output as it is, and the gradients of inputs @ weight.T, computed in bfloat16."""

    @staticmethod
    def forward(
        ctx: Any,
        output: Float[Tensor, "*row out"],
        inputs: Float[Tensor, "*row in"],
        weight: Float[Tensor, "out in"],
    ) -> Float[Tensor, "*row out"]:
        ctx.save_for_backward(inputs, weight)
        return output.view_as(output)

    @staticmethod
    def backward(ctx: Any, slope: Float[Tensor, "*row out"]) -> tuple[Tensor | None, ...]:
        inputs, weight = ctx.saved_tensors
        _, wants_inputs, wants_weight = ctx.needs_input_grad
        slopes = slope.bfloat16()
        return (
            None,
            (slopes @ weight.bfloat16()).float() if wants_inputs else None,
            (slopes.flatten(0, -2).t() @ inputs.flatten(0, -2).bfloat16()).float() if wants_weight else None,
        )


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
