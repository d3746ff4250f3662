"""Load models of the supported families for analysis: the one module that knows TransformerLens.

Weights are the model's own: the bridge stays raw, because folding LayerNorm or centring weights
(`enable_compatibility_mode`) changes gradients. transformer_lens takes seconds to import and is therefore
imported where it is used.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from memloc.model.families import family
from memloc.model.pretrained import ON_PROCESSOR, load_tokenizer, read_model
from memloc.settings.loading import Loading

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def load_model(folder: Path | str, how: Loading = ON_PROCESSOR) -> "PreTrainedModel":
    """`read_model`, if its family is supported.

    Raises:
        ModelError: as `read_model` does.
        InputError: the family is not supported.
    """
    model = read_model(folder, how)
    family(model.config.model_type)
    return model


def load_for_inference(folder: Path | str, how: Loading = ON_PROCESSOR) -> "PreTrainedModel":
    """`load_model` for passes without gradients: faster on a processor; takes and raises the same."""
    from memloc.model.onednn import pack

    model = load_model(folder, how)
    pack(model)
    return model


def load_for_editing(folder: Path | str, how: Loading = ON_PROCESSOR) -> "PreTrainedModel":
    """`load_model` with the weights of its `dtype`, raised to single precision; takes and raises the same.

    bfloat16 would lose Adam's steps in rounding, even ten of them together: its weights above 0.03 are
    further apart than ten steps of 1e-5.
    """
    return load_model(folder, how).float()


def untrained(model: "PreTrainedModel", seed: int) -> "PreTrainedModel":
    """The same model before any training: random first weights, in evaluation mode.

    A control: it shows how much the architecture and the words alone tell.
    """
    from transformers import AutoModelForCausalLM

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fresh = AutoModelForCausalLM.from_config(model.config, dtype=torch.float32)
    return fresh.to(model.device, model.dtype).eval()


def load_bridge(folder: Path | str, how: Loading = ON_PROCESSOR) -> "TransformerBridge":
    """`load_model` with TransformerLens hooks, and the folder's tokenizer; takes and raises what both do."""
    return boot_bridge(load_model(folder, how), load_tokenizer(folder))


def boot_bridge(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase | None" = None
) -> "TransformerBridge":
    """Give a loaded model TransformerLens hooks. Its modules are wrapped in place: use one or the other.

    Does what `TransformerBridge.boot_transformers` does with a model in memory; without a tokenizer, that
    function would look for one on the hub. Run whole sequences only: for some families (GPT-2, Llama) the
    bridge silently drops the key/value cache, and logits are then wrong.
    """
    from transformer_lens.model_bridge.sources import build_bridge_from_module

    model.set_attn_implementation("eager")  # fused attention never computes the pattern that hooks read
    return build_bridge_from_module(
        model, type(model).__name__, hf_config=model.config, tokenizer=tokenizer, device=model.device
    )
