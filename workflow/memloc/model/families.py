"""The table of supported families of models; to support another one, add its row here.

Families store the same matrices differently: GPT-2 keeps them transposed and fuses queries, keys and values;
GPT-NeoX fuses them head by head; grouped-query models have fewer key and value heads. A row says where a
component lies and which axes its stored tensor has. Axes are einops patterns that only split and permute.

The logits of a family in the table are the unembedded last hidden states and nothing more: analyses unembed
only the states that they need. Families that scale or cap logits (Gemma 2, Cohere, Granite) have no row,
because their NLLs would be silently wrong.

The table imports no torch: the Snakefile, which estimates memory, reads it too.
"""

from typing import NamedTuple

from memloc.run.errors import InputError


class Stored(NamedTuple):
    """Where a component lies in a layer; `axes` is None for an MLP matrix, which has no heads."""

    module: str
    axes: str | None = None
    part: int | None = None  # which of the stacked queries, keys and values
    norm: str | None = None  # module that normalizes its output over all heads together


class Family(NamedTuple):
    """A family of models: its title, and the names and layout of its modules."""

    title: str  # as users know it
    layers: str  # module that holds the layers
    final_norm: str  # module between the last layer and the unembedding
    components: dict[str, Stored]

    @property
    def gated(self) -> bool:
        """Whether its MLPs have three matrices instead of two."""
        return "W_gate" in self.components


_INTO_HEADS = "(head d_head) d_model -> head d_model d_head"
_FROM_HEADS = "d_model (head d_head) -> head d_head d_model"
_GPT2_FUSED = "d_model (qkv head d_head) -> qkv head d_model d_head"
_GPT2_FROM_HEADS = "(head d_head) d_model -> head d_head d_model"
_NEOX_FUSED = "(head qkv d_head) d_model -> qkv head d_model d_head"

_GPT_NEO = Family(
    title="GPT-Neo",
    layers="transformer.h",
    final_norm="transformer.ln_f",
    components={
        "W_Q": Stored("attn.attention.q_proj", _INTO_HEADS),
        "W_K": Stored("attn.attention.k_proj", _INTO_HEADS),
        "W_V": Stored("attn.attention.v_proj", _INTO_HEADS),
        "W_O": Stored("attn.attention.out_proj", _FROM_HEADS),
        "W_in": Stored("mlp.c_fc"),
        "W_out": Stored("mlp.c_proj"),
    },
)
_GPT2 = _GPT_NEO._replace(
    title="GPT-2",
    components={
        "W_Q": Stored("attn.c_attn", _GPT2_FUSED, part=0),
        "W_K": Stored("attn.c_attn", _GPT2_FUSED, part=1),
        "W_V": Stored("attn.c_attn", _GPT2_FUSED, part=2),
        "W_O": Stored("attn.c_proj", _GPT2_FROM_HEADS),
        "W_in": Stored("mlp.c_fc"),
        "W_out": Stored("mlp.c_proj"),
    },
)
_GPT_NEOX = Family(
    title="GPT-NeoX (Pythia)",
    layers="gpt_neox.layers",
    final_norm="gpt_neox.final_layer_norm",
    components={
        "W_Q": Stored("attention.query_key_value", _NEOX_FUSED, part=0),
        "W_K": Stored("attention.query_key_value", _NEOX_FUSED, part=1),
        "W_V": Stored("attention.query_key_value", _NEOX_FUSED, part=2),
        "W_O": Stored("attention.dense", _FROM_HEADS),
        "W_in": Stored("mlp.dense_h_to_4h"),
        "W_out": Stored("mlp.dense_4h_to_h"),
    },
)
_LLAMA = Family(
    title="Llama",
    layers="model.layers",
    final_norm="model.norm",
    components={
        "W_Q": Stored("self_attn.q_proj", _INTO_HEADS),
        "W_K": Stored("self_attn.k_proj", _INTO_HEADS),
        "W_V": Stored("self_attn.v_proj", _INTO_HEADS),
        "W_O": Stored("self_attn.o_proj", _FROM_HEADS),
        "W_gate": Stored("mlp.gate_proj"),
        "W_in": Stored("mlp.up_proj"),
        "W_out": Stored("mlp.down_proj"),
    },
)
# Its norms lie after attention and MLP; those of queries and keys take all heads together.
_OLMO2 = _LLAMA._replace(
    title="OLMo 2",
    components=_LLAMA.components
    | {
        "W_Q": Stored("self_attn.q_proj", _INTO_HEADS, norm="self_attn.q_norm"),
        "W_K": Stored("self_attn.k_proj", _INTO_HEADS, norm="self_attn.k_norm"),
    },
)
FAMILIES = {  # by `model_type` of a model's config.json
    "gpt_neo": _GPT_NEO,
    "gpt2": _GPT2,
    "gpt_neox": _GPT_NEOX,
    "llama": _LLAMA,
    "mistral": _LLAMA._replace(title="Mistral"),
    "olmo": _LLAMA._replace(title="OLMo"),
    "olmo2": _OLMO2,
    "olmo3": _OLMO2._replace(title="OLMo 3"),
    "qwen2": _LLAMA._replace(title="Qwen 2"),
    "qwen3": _LLAMA._replace(title="Qwen 3"),
    "gemma": _LLAMA._replace(title="Gemma 1"),
    "smollm3": _LLAMA._replace(title="SmolLM3"),
}


def family(model_type: str) -> Family:
    """The family of a model type, as config.json names it.

    Raises:
        InputError: it is not in the table.
    """
    if model_type not in FAMILIES:
        raise InputError(f"model type {model_type!r} is not supported; supported: {', '.join(FAMILIES)}")
    return FAMILIES[model_type]
