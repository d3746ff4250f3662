"""Load models of the supported families for analysis; no other module creates bridges of TransformerLens.

Weights are the model's own: the bridge stays raw, because folding LayerNorm or centring weights
(`enable_compatibility_mode`) changes gradients. transformer_lens takes seconds to import and is therefore
imported where it is used.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from memloc.model.families import family
from memloc.model.pretrained import ON_PROCESSOR, read_model
from memloc.settings.loading import Loading

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge
    from transformers import PreTrainedModel


def load_model(folder: Path | str, how: Loading = ON_PROCESSOR) -> "PreTrainedModel":
    """The model of `read_model`; its family must be supported.

    Raises:
        ModelError: as `read_model` does.
        InputError: the family is not supported.
    """
    model = read_model(folder, how)
    family(model.config.model_type)
    return model


def load_for_editing(folder: Path | str, how: Loading = ON_PROCESSOR) -> "PreTrainedModel":
    """The model of `load_model`, whose weights are raised from `dtype` to single precision; raises the same.

    bfloat16 would round Adam's steps away: above 0.03, its numbers are further apart than ten steps of 1e-5.
    """
    return load_model(folder, how).float()


def untrained(model: "PreTrainedModel", seed: int) -> "PreTrainedModel":
    """A model of the same shape with random weights, as before any training, in evaluation mode.

    It is a control: it shows how much the architecture and the words alone tell.
    """
    from transformers import AutoModelForCausalLM

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fresh = AutoModelForCausalLM.from_config(model.config, dtype=torch.float32)
    return fresh.to(model.device, model.dtype).eval()


def boot_bridge(model: "PreTrainedModel") -> "TransformerBridge":
    """Give a loaded model TransformerLens hooks. Its modules are wrapped in place: use the bridge alone.

    `TransformerBridge.boot_transformers` would do the same, but needs a tokenizer. Run whole sequences only:
    for some families (GPT-2, Llama) the bridge silently drops the key/value cache, and logits are then wrong.
    """
    from transformer_lens.model_bridge.sources import build_bridge_from_module

    model.set_attn_implementation("eager")  # fused attention never computes the pattern that hooks read
    return build_bridge_from_module(model, type(model).__name__, hf_config=model.config)
