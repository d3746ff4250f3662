"""Linear layers in single precision on a processor, computed by oneDNN.

torch computes them with MKL, which leaves half of the vector width of AMD's processors unused. oneDNN, which
torch brings too and takes for bfloat16, uses all of it. Results differ by rounding only.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D


def available() -> bool:
    """Whether this build of torch brings oneDNN."""
    return torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def use_onednn(model: PreTrainedModel) -> None:
    """Let the linear layers of a model take oneDNN where they can; without oneDNN, nothing is changed."""
    if not available():
        return
    kinds = {nn.Linear: OneDnnLinear, Conv1D: OneDnnConv1D}
    for module in model.modules():
        # Its class alone, so that parameters, ties between them and hooks stay.
        module.__class__ = kinds.get(type(module), type(module))


class OneDnnLinear(nn.Linear):
    """A linear layer; weights are [out, in]."""

    def forward(self, inputs: Float[Tensor, "*row in"]) -> Float[Tensor, "*row out"]:
        """As of `nn.Linear`."""
        if _applies(inputs, self.weight):
            return _Product.apply(inputs, self.weight, self.bias)
        return super().forward(inputs)


class OneDnnConv1D(Conv1D):
    """GPT-2's linear layer; weights are [in, out]."""

    def forward(self, inputs: Float[Tensor, "*row in"]) -> Float[Tensor, "*row out"]:
        """As of `Conv1D`."""
        if _applies(inputs, self.weight):
            return _Product.apply(inputs, self.weight.t(), self.bias)
        return super().forward(inputs)


def _applies(inputs: Tensor, weight: Tensor) -> bool:
    """Single precision, on a processor, something to do, and no automatic casts to bfloat16."""
    single = inputs.dtype == weight.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")
    return single and inputs.device.type == "cpu" and inputs.numel() > 0


class _Product(torch.autograd.Function):
    """inputs @ weight.T + bias, and its gradients, which torch does not know for oneDNN's."""

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
    inputs: Float[Tensor, "*row in"], weight: Float[Tensor, "out in"], bias: Tensor | None = None
) -> Float[Tensor, "*row out"]:
    """inputs @ weight.T + bias; weights may be strided."""
    return torch.ops.mkldnn._linear_pointwise(inputs, weight, bias, "none", [], "")
