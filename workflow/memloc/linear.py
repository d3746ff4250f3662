"""Linear layers in single precision on a processor, computed by oneDNN.

torch computes them with MKL, which leaves half of the vector width of AMD's processors unused. oneDNN, which
torch brings too and takes for bfloat16, uses all of it; and it computes GELU while the product that GELU is
taken of is still in the processor's cache. Results differ by rounding only.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.models.gpt2.modeling_gpt2 import GPT2MLP
from transformers.models.gpt_neo.modeling_gpt_neo import GPTNeoMLP
from transformers.pytorch_utils import Conv1D


def available() -> bool:
    """Whether this build of torch brings oneDNN."""
    return torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def use_onednn(model: PreTrainedModel) -> None:
    """Let the linear layers of a model take oneDNN where they can; without oneDNN, nothing is changed.

    The MLPs of GPT-Neo and GPT-2 compute GELU with it too. Hooks see what they always saw.
    """
    if not available():
        return
    kinds = {
        nn.Linear: OneDnnLinear,
        Conv1D: OneDnnConv1D,
        GPTNeoMLP: OneDnnGPTNeoMLP,
        GPT2MLP: OneDnnGPT2MLP,
    }
    for module in model.modules():
        # Its class alone, so that parameters, ties between them and hooks stay.
        module.__class__ = kinds.get(type(module), type(module))


class _ByOneDnn:
    """A linear layer whose products oneDNN computes where it can."""

    def forward(self, inputs: Float[Tensor, "*row in"]) -> Float[Tensor, "*row out"]:
        """As of torch's own layer."""
        if _applies(inputs, self.weight):
            return _Product.apply(inputs, self.matrix, self.bias)
        return super().forward(inputs)


class OneDnnLinear(_ByOneDnn, nn.Linear):
    """A linear layer; weights are [out, in]."""

    @property
    def matrix(self) -> Float[Tensor, "out in"]:
        """The weights."""
        return self.weight


class OneDnnConv1D(_ByOneDnn, Conv1D):
    """GPT-2's linear layer; weights are [in, out]."""

    @property
    def matrix(self) -> Float[Tensor, "out in"]:
        """The weights, the other way round."""
        return self.weight.t()


class _FusedGelu:
    """An MLP that computes its first layer and GELU in one, where nothing looks at what is between them."""

    def forward(self, hidden_states: Float[Tensor, "*row in"]) -> Float[Tensor, "*row in"]:
        """As of the family's own MLP."""
        layer = self.c_fc
        if not self._nothing_looks() or not _applies(hidden_states, layer.weight):
            return super().forward(hidden_states)
        return self.dropout(self.c_proj(product(hidden_states, layer.matrix, layer.bias, "gelu", "tanh")))

    def _nothing_looks(self) -> bool:
        """No gradients, which need GELU's input, no hooks on it, and GELU in the form that is meant."""
        modules = self.c_fc, self.act
        hooked = any(module._forward_pre_hooks or module._forward_hooks for module in modules)
        linear = isinstance(self.c_fc, _ByOneDnn)
        gelu = isinstance(self.act, nn.GELU) and self.act.approximate == "tanh"
        return linear and gelu and not hooked and not torch.is_grad_enabled()


class OneDnnGPTNeoMLP(_FusedGelu, GPTNeoMLP):
    """GPT-Neo's MLP."""


class OneDnnGPT2MLP(_FusedGelu, GPT2MLP):
    """GPT-2's MLP."""


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
    inputs: Float[Tensor, "*row in"],
    weight: Float[Tensor, "out in"],
    bias: Float[Tensor, "out"] | None = None,
    activation: str = "none",
    form: str = "",
) -> Float[Tensor, "*row out"]:
    """activation(inputs @ weight.T + bias); weights may be strided.

    Args:
        activation: "none", or "gelu" with `form` "tanh" or "none" (exact), as oneDNN names them.
    """
    return torch.ops.mkldnn._linear_pointwise(inputs, weight, bias, activation, [], form)
