"""One view of a model's own weights by (layer, component, head).

Model families store the same matrices differently: GPT-2 keeps them transposed and fuses queries, keys
and values; GPT-NeoX fuses them head by head; grouped-query models have fewer key and value heads. One
table per family says where a component lies and which axes its stored tensor has; everything else
asks for `[head, d_in, d_out]`. To support another family, add its table to `FAMILIES`.

Axes are einops patterns. They only split and permute axes, so the result is a view: writing through it
changes the model. Weights are never folded or centred, because gradients of folded weights differ.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd
from einops import rearrange
from jaxtyping import Shaped
from torch import Tensor, nn
from transformers import PreTrainedModel

from memloc.run.errors import InputError

PROJECTIONS = {"q": "W_Q", "k": "W_K", "v": "W_V"}  # activation: the component that computes it


class Stored(NamedTuple):
    """Where a component lies in a layer; `axes` is None for an MLP matrix, which has no heads."""

    module: str
    axes: str | None = None
    part: int | None = None  # which of the stacked queries, keys and values
    norm: str | None = None  # module that normalizes its output over all heads together


class Family(NamedTuple):
    """Where a model family has its layers, the LayerNorm after them, and the components in each of them."""

    layers: str
    final_norm: str
    components: dict[str, Stored]


_INTO_HEADS = "(head d_head) d_model -> head d_model d_head"
_FROM_HEADS = "d_model (head d_head) -> head d_head d_model"
_GPT2_FUSED = "d_model (qkv head d_head) -> qkv head d_model d_head"
_GPT2_FROM_HEADS = "(head d_head) d_model -> head d_head d_model"
_NEOX_FUSED = "(head qkv d_head) d_model -> qkv head d_model d_head"

_GPT_NEO = Family(
    "transformer.h",
    "transformer.ln_f",
    {
        "W_Q": Stored("attn.attention.q_proj", _INTO_HEADS),
        "W_K": Stored("attn.attention.k_proj", _INTO_HEADS),
        "W_V": Stored("attn.attention.v_proj", _INTO_HEADS),
        "W_O": Stored("attn.attention.out_proj", _FROM_HEADS),
        "W_in": Stored("mlp.c_fc"),
        "W_out": Stored("mlp.c_proj"),
    },
)
_GPT2 = Family(
    "transformer.h",
    "transformer.ln_f",
    {
        "W_Q": Stored("attn.c_attn", _GPT2_FUSED, part=0),
        "W_K": Stored("attn.c_attn", _GPT2_FUSED, part=1),
        "W_V": Stored("attn.c_attn", _GPT2_FUSED, part=2),
        "W_O": Stored("attn.c_proj", _GPT2_FROM_HEADS),
        "W_in": Stored("mlp.c_fc"),
        "W_out": Stored("mlp.c_proj"),
    },
)
_GPT_NEOX = Family(
    "gpt_neox.layers",
    "gpt_neox.final_layer_norm",
    {
        "W_Q": Stored("attention.query_key_value", _NEOX_FUSED, part=0),
        "W_K": Stored("attention.query_key_value", _NEOX_FUSED, part=1),
        "W_V": Stored("attention.query_key_value", _NEOX_FUSED, part=2),
        "W_O": Stored("attention.dense", _FROM_HEADS),
        "W_in": Stored("mlp.dense_h_to_4h"),
        "W_out": Stored("mlp.dense_4h_to_h"),
    },
)
_LLAMA = Family(
    "model.layers",
    "model.norm",
    {
        "W_Q": Stored("self_attn.q_proj", _INTO_HEADS),
        "W_K": Stored("self_attn.k_proj", _INTO_HEADS),
        "W_V": Stored("self_attn.v_proj", _INTO_HEADS),
        "W_O": Stored("self_attn.o_proj", _FROM_HEADS),
        "W_gate": Stored("mlp.gate_proj"),
        "W_in": Stored("mlp.up_proj"),
        "W_out": Stored("mlp.down_proj"),
    },
)
_OLMO2 = _LLAMA._replace(
    components=_LLAMA.components
    | {
        "W_Q": Stored("self_attn.q_proj", _INTO_HEADS, norm="self_attn.q_norm"),
        "W_K": Stored("self_attn.k_proj", _INTO_HEADS, norm="self_attn.k_norm"),
    }
)
FAMILIES = {
    "gpt_neo": _GPT_NEO,
    "gpt2": _GPT2,
    "gpt_neox": _GPT_NEOX,
    **dict.fromkeys(("llama", "mistral", "olmo", "qwen2", "qwen3", "gemma", "smollm3"), _LLAMA),
    **dict.fromkeys(("olmo2", "olmo3"), _OLMO2),
}


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

        Returns `[head, d_in, d_out]`, or the whole tensor for an MLP matrix. Writing to the view writes
        to the tensor.
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
        """Name of the module whose output is q, k or v: that of the component, or the norm of all its heads.

        Before such a norm a head is no activation of its own: a change of it moves all other heads.
        """
        norm = self.stored.norm
        return self.module.removesuffix(self.stored.module) + norm if norm else self.module

    def heads(
        self, output: Shaped[Tensor, "row position column"]
    ) -> Shaped[Tensor, "row position head d_head"]:
        """View of this component's heads in a tensor that its module `output` gives; for W_Q, W_K and W_V.

        The columns of the output are the axis of the weight that is split into heads.
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
    """The table of a causal language model's family.

    Raises:
        ValueError: the model's family has no table.
    """
    model_type = model.config.model_type
    if model_type not in FAMILIES:
        raise InputError(f"model type {model_type!r} is not supported; supported: {', '.join(FAMILIES)}")
    return FAMILIES[model_type]


def layers_of(model: PreTrainedModel) -> nn.ModuleList:
    """The layers of a causal language model, first to last."""
    return model.get_submodule(family_of(model).layers)


def final_norm_of(model: PreTrainedModel) -> nn.Module:
    """The normalization between the last layer and the unembedding."""
    return model.get_submodule(family_of(model).final_norm)


def components(model: PreTrainedModel) -> list[Component]:
    """Components of a causal language model, layer by layer.

    Raises:
        ValueError: the model's family has no table.
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


def editable_parameters(model: PreTrainedModel) -> list[str]:
    """Names of the parameters that hold components: no bias, LayerNorm or embedding (paper 5.2)."""
    return list(dict.fromkeys(component.parameter for component in components(model)))


def component_table(
    model: PreTrainedModel, measure: Callable[[Component], dict[str, Shaped[Tensor, "head"]]]
) -> pd.DataFrame:
    """One row per layer, component and head: `measure` gives each column's values, one per head.

    An MLP matrix has a single value and its head is null.
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
