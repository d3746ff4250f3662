"""Linear layers in single precision on a processor, computed by oneDNN.

torch computes them with MKL, which does not use the full vectors of AMD's processors: it loses half of the
speed of Zen 5 and a sixth of the speed of Zen 4. oneDNN loses nothing. It is part of torch, which uses it for
bfloat16 only. Results differ by rounding only.

Before every product, oneDNN puts the weights in its own order. `pack` does so once, which saves up to half
the time of products of few rows, as in decoding. On Intel's processors oneDNN computes only these packed
products: there MKL uses the full width, and computes the products of gradients up to twice as fast.

Only this module calls private parts of torch. Its tests name them with their arguments, and fail where
another torch has others.
"""

import platform
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from memloc.settings.loading import MOST_PACKED

if TYPE_CHECKING:
    from transformers import PreTrainedModel  # the measurement of a machine starts without it

PACKED_FOR = 64  # rows that the packed order is chosen for; products of any number of rows can use it


def available() -> bool:
    """Whether this build of torch brings oneDNN."""
    needed = ("_linear_pointwise", "_reorder_linear_weight")
    return torch.backends.mkldnn.is_available() and all(hasattr(torch.ops.mkldnn, name) for name in needed)


def native_bfloat16(device: torch.device) -> bool:
    """Whether a device multiplies bfloat16 matrices natively, so that it pays to compute in it."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()


@cache
def mkl_is_fast() -> bool:
    """Whether MKL uses the full vector width of this processor, as it does on those that Intel made."""
    description = Path("/proc/cpuinfo")
    maker = description.read_text() if description.exists() else platform.processor()
    return torch.backends.mkl.is_available() and "GenuineIntel" in maker


def use_onednn(model: "PreTrainedModel") -> None:
    """Let the linear layers of a model use oneDNN where they can; without oneDNN, nothing changes.

    Hooks see the same values as before.
    """
    if not available():
        return
    kinds = {nn.Linear: OneDnnLinear, Conv1D: OneDnnConv1D}
    for module in model.modules():
        # Only the class changes: parameters, ties between them and hooks stay.
        module.__class__ = kinds.get(type(module), type(module))


def pack(model: "PreTrainedModel") -> None:
    """Store the weights of linear layers in oneDNN's order, too, for passes without gradients.

    The weights are then held twice. A layer whose weights change later no longer uses the stored ones. Models
    that are too large, and layers that oneDNN does not compute, stay as they are.
    """
    too_large = sum(weight.nbytes for weight in model.parameters()) > MOST_PACKED
    native = {torch.float32: True, torch.bfloat16: native_bfloat16(torch.device("cpu"))}
    if too_large or model.device.type != "cpu" or not native.get(model.dtype):
        return
    for module in model.modules():
        if isinstance(module, _ByOneDnn):
            matrix = module.matrix.detach().contiguous()
            module.packed = torch.ops.mkldnn._reorder_linear_weight(matrix, PACKED_FOR)
            module.packed_version = module.weight._version


class _ByOneDnn:
    """A linear layer whose products oneDNN computes where it can."""

    packed: Tensor | None = None
    packed_version: int | None = None  # of the weights, when they were packed

    def forward(self, inputs: Float[Tensor, "*row in"]) -> Float[Tensor, "*row out"]:
        """The output of torch's own layer, up to rounding."""
        weights = self.weights_for(inputs)
        if weights is None:
            return super().forward(inputs)
        if weights is self.packed:
            return product(inputs, weights, self.bias)
        return _Product.apply(inputs, weights, self.bias)

    def weights_for(self, inputs: Float[Tensor, "*row in"]) -> Tensor | None:
        """The weights that oneDNN multiplies with, packed if possible; None where torch computes."""
        alike = inputs.dtype == self.weight.dtype and not torch.is_autocast_enabled("cpu")
        if not alike or inputs.device.type != "cpu" or not inputs.numel():
            return None
        if self.packed_version == self.weight._version and not torch.is_grad_enabled():
            return self.packed
        by_torch = inputs.dtype != torch.float32 or mkl_is_fast()
        return None if by_torch else self.matrix

    @property
    def matrix(self) -> Float[Tensor, "out in"]:
        """The weights; GPT-2 stores them the other way round."""
        return self.weight.t() if isinstance(self, Conv1D) else self.weight

    def __getstate__(self) -> dict[str, Any]:
        """Copies of a layer are not packed, because copies are made to be changed."""
        return {**self.__dict__, "packed": None, "packed_version": None}


class OneDnnLinear(_ByOneDnn, nn.Linear):
    """A linear layer."""


class OneDnnConv1D(_ByOneDnn, Conv1D):
    """GPT-2's linear layer."""


class _Product(torch.autograd.Function):
    """inputs @ weight.T + bias, and its gradients, which torch does not know for oneDNN's product."""

    @staticmethod
    def forward(
        ctx: Any,
        inputs: Float[Tensor, "*row in"],
        weight: Float[Tensor, "out in"],
        bias: Float[Tensor, "out"] | None,
    ) -> Float[Tensor, "*row out"]:
        ctx.save_for_backward(inputs, weight)
        return product(inputs, weight, bias)

    @staticmethod
    def backward(ctx: Any, slope: Float[Tensor, "*row out"]) -> tuple[Tensor | None, ...]:
        inputs, weight = ctx.saved_tensors
        wants_inputs, wants_weight, wants_bias = ctx.needs_input_grad
        slopes = slope.flatten(0, -2)
        return (
            product(slope, weight.t()) if wants_inputs else None,
            product(slopes.t(), inputs.flatten(0, -2).t()) if wants_weight else None,
            slopes.sum(dim=0) if wants_bias else None,
        )


def product(
    inputs: Float[Tensor, "*row in"],
    weight: Float[Tensor, "out in"],
    bias: Float[Tensor, "out"] | None = None,
) -> Float[Tensor, "*row out"]:
    """inputs @ weight.T + bias; weights may be strided."""
    return torch.ops.mkldnn._linear_pointwise(inputs, weight, bias, "none", [], "")
