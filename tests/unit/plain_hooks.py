"""Activations of plain Hugging Face models through plain torch hooks: the slow, obvious way to q, k, v.

They use neither TransformerLens nor memloc, so that both can be compared with them.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from torch import Tensor
from transformers import PreTrainedModel

_LLAMA = (
    "model.layers",
    {
        **{name: (f"self_attn.{name}_proj", "output") for name in "qkv"},
        "z": ("self_attn.o_proj", "input"),
        "pre": ("mlp.gate_proj", "output"),
        "post": ("mlp.down_proj", "input"),
    },
)
# One norm takes all heads of q together, and one all heads of k; single heads exist only after it.
_OLMO2 = (_LLAMA[0], {**_LLAMA[1], "q": ("self_attn.q_norm", "output"), "k": ("self_attn.k_norm", "output")})
_GPT_MLP = {"pre": ("mlp.c_fc", "output"), "post": ("mlp.c_proj", "input")}
# Family -> the module that holds its layers, and component -> (module of a layer, its input or its output).
PLACES = {
    "gpt2": (
        "transformer.h",
        {**dict.fromkeys("qkv", ("attn.c_attn", "output")), "z": ("attn.c_proj", "input"), **_GPT_MLP},
    ),
    "gpt_neo": (
        "transformer.h",
        {
            **{name: (f"attn.attention.{name}_proj", "output") for name in "qkv"},
            "z": ("attn.attention.out_proj", "input"),
            **_GPT_MLP,
        },
    ),
    **dict.fromkeys(("llama", "mistral", "olmo", "qwen2", "qwen3", "gemma", "smollm3"), _LLAMA),
    **dict.fromkeys(("olmo2", "olmo3"), _OLMO2),
    "gpt_neox": (
        "gpt_neox.layers",
        {
            **dict.fromkeys("qkv", ("attention.query_key_value", "output")),
            "z": ("attention.dense", "input"),
            "pre": ("mlp.dense_h_to_4h", "output"),
            "post": ("mlp.dense_4h_to_h", "input"),
        },
    ),
}


def d_head(model: PreTrainedModel) -> int:
    """Width of a head."""
    config = model.config
    return getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads


def columns(model: PreTrainedModel, component: str, head: int) -> slice:
    """Columns of the module's input or output that hold one head of q, k, v or z."""
    width = d_head(model)
    start = head * width
    if component in "qkv" and model.config.model_type == "gpt2":  # all q, all k, all v
        start += "qkv".index(component) * model.config.hidden_size
    if component in "qkv" and model.config.model_type == "gpt_neox":  # q, k, v of head 0, then of head 1
        start = (3 * head + "qkv".index(component)) * width
    return slice(start, start + width)


@contextmanager
def edited(
    model: PreTrainedModel, layer: int, component: str, edit: Callable[[Tensor], Tensor]
) -> Iterator[None]:
    """Within the context, `edit(activation)` [batch, position, column] takes the place of the activation."""
    layers, places = PLACES[model.config.model_type]
    name, side = places[component]
    module = model.get_submodule(f"{layers}.{layer}.{name}")
    if side == "input":
        handle = module.register_forward_pre_hook(lambda _, inputs: (edit(inputs[0]), *inputs[1:]))
    else:
        handle = module.register_forward_hook(lambda _, inputs, output: edit(output))
    with handle:
        yield


def changed(
    model: PreTrainedModel, layer: int, component: str, own: slice | int, change: Callable[[Tensor], Tensor]
) -> AbstractContextManager[None]:
    """Within the context, `change(part)` takes the place of some columns of an activation."""

    def edit(value: Tensor) -> Tensor:
        value = value.clone()
        value[..., own] = change(value[..., own])
        return value

    return edited(model, layer, component, edit)
