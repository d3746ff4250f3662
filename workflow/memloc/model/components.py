"""Views of a model's own weights by layer, component and head.

Model families store the same matrices differently (see `families`); everything else asks for
`[head, d_in, d_out]`. Writing to a view changes the model. Weights are never folded or centred here, because
gradients of folded weights differ.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
from einops import rearrange
from jaxtyping import Shaped
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from memloc.model import families
from memloc.model.families import Family, Stored

PROJECTIONS = {"q": "W_Q", "k": "W_K", "v": "W_V"}  # activation: the component that computes it


@dataclass(frozen=True)
class Component:
    """One weight matrix of one layer, all heads together."""

    layer: int
    name: str
    parameter: str  # the model's parameter that holds it, perhaps fused with others
    n_heads: int | None  # None for an MLP matrix
    stored: Stored

    def view(self, tensor: Shaped[Tensor, "..."]) -> Shaped[Tensor, "..."]:
        """View of this component in a tensor shaped like its parameter (weight, gradient, mask, ...).

        Returns `[head, d_in, d_out]`, or the whole tensor for an MLP matrix. It shares the tensor's memory.
        """
        axes, part = self.stored.axes, self.stored.part
        if axes is None:
            return tensor
        if part is None:
            return rearrange(tensor, axes, head=self.n_heads)
        return rearrange(tensor, axes, head=self.n_heads, qkv=3)[part]

    @property
    def module(self) -> str:
        """Name of the module that multiplies with this component, perhaps fused with others."""
        return self.parameter.removesuffix(".weight")

    @property
    def output(self) -> str:
        """Name of the module whose output is q, k or v: the projection, or the norm over all its heads.

        Before such a norm, a change of one head moves all other heads.
        """
        norm = self.stored.norm
        return self.module.removesuffix(self.stored.module) + norm if norm else self.module

    def heads(
        self, output: Shaped[Tensor, "row position column"]
    ) -> Shaped[Tensor, "row position head d_head"]:
        """View by head of the output of module `output`; for W_Q, W_K and W_V.

        The columns are laid out like the axis of the weight that is split into heads.
        """
        columns = re.search(r"\(.*?\)", self.stored.axes).group()
        if self.stored.part is None:
            return rearrange(output, f"row position {columns} -> row position head d_head", head=self.n_heads)
        pattern = f"row position {columns} -> qkv row position head d_head"
        return rearrange(output, pattern, head=self.n_heads, qkv=3)[self.stored.part]

    def by_head(self, tensor: Shaped[Tensor, "..."]) -> Shaped[Tensor, "head weight"]:
        """This component's weights as one row per head, or a single row for an MLP matrix (read-only use)."""
        return self.view(tensor).reshape(self.n_heads or 1, -1)


def family_of(model: PreTrainedModel) -> Family:
    """The family of a causal language model. InputError: it is not supported."""
    return families.family(model.config.model_type)


def layers_of(model: PreTrainedModel) -> nn.ModuleList:
    """The layers of a causal language model, first to last."""
    return model.get_submodule(family_of(model).layers)


def components(model: PreTrainedModel) -> list[Component]:
    """Components of a causal language model, layer by layer.

    Raises:
        InputError: the model's family is not supported.
    """
    config, family = model.config, family_of(model)
    n_kv_heads = getattr(config, "num_key_value_heads", config.num_attention_heads)
    n_heads = {
        "W_Q": config.num_attention_heads,
        "W_K": n_kv_heads,
        "W_V": n_kv_heads,
        "W_O": config.num_attention_heads,
    }
    return [
        Component(layer, name, f"{family.layers}.{layer}.{stored.module}.weight", n_heads.get(name), stored)
        for layer in range(config.num_hidden_layers)
        for name, stored in family.components.items()
    ]


def modules_of(model: PreTrainedModel, name: str) -> dict[int, nn.Module]:
    """By layer, the module that multiplies with the component of this name, perhaps fused with others."""
    return {part.layer: model.get_submodule(part.module) for part in components(model) if part.name == name}


def editable_parameters(model: PreTrainedModel) -> list[str]:
    """Names of the parameters that hold components: no bias, LayerNorm or embedding (paper 5.2)."""
    return list(dict.fromkeys(component.parameter for component in components(model)))


def as_linear(module: nn.Module, tensor: Shaped[Tensor, "..."]) -> Shaped[Tensor, "out in"]:
    """View of a tensor shaped like a module's weight, with the outputs in the first axis.

    GPT-2 stores them in the last one.
    """
    return tensor.T if isinstance(module, Conv1D) else tensor


def component_table(
    model: PreTrainedModel, measure: Callable[[Component], dict[str, Shaped[Tensor, "head"]]]
) -> pd.DataFrame:
    """A row per layer, component and head. `measure` gives the values of each column, one per head.

    An MLP matrix has a single row, whose head is null.
    """
    frames = []
    for component in components(model):
        frame = pd.DataFrame({column: values.tolist() for column, values in measure(component).items()})
        heads = [None] if component.n_heads is None else range(component.n_heads)
        frame.insert(0, "layer", component.layer)
        frame.insert(1, "component", component.name)
        frame.insert(2, "head", pd.array(heads, dtype="Int64"))
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)
