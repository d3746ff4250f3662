"""Load subjects of the supported families for analysis; no other module creates bridges of TransformerLens.

The bridge stays raw, because folding LayerNorm or centring weights (`enable_compatibility_mode`) changes
gradients. transformer_lens takes seconds to import and is therefore imported where it is used.
"""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from memloc.model.pretrained import read_model, token_before
from memloc.model.subject import Subject

if TYPE_CHECKING:
    from memloc.settings.study import Settings


def load(folder: Path | str, settings: "Settings", n_usual: int, *, editing: bool = False) -> Subject:
    """The model of a folder, read as the settings say, for paragraphs of their length.

    A pass takes `n_usual` rows, if the settings do not say how many.

    For editing, weights are raised from `dtype` to single precision. bfloat16 would round Adam's steps away:
    above 0.03, its numbers are further apart than ten steps of 1e-5.

    Raises:
        ModelError: as `read_model` does, or the tokenizer lacks the token before every prefix.
    """
    model, paragraph = read_model(folder, settings.loading), settings.paragraph
    before = token_before(folder, paragraph.before)
    micro_batch = settings.loading.micro_batch or n_usual
    return Subject(model.float() if editing else model, paragraph.prefix, micro_batch, before)


def bridged(subject: Subject) -> Subject:
    """The subject with TransformerLens hooks. Its modules are wrapped in place: use the result alone.

    `TransformerBridge.boot_transformers` would do the same, but needs a tokenizer. Run whole sequences only:
    for some families (GPT-2, Llama) the bridge silently drops the key/value cache, and logits are then wrong.
    """
    from transformer_lens.model_bridge.sources import build_bridge_from_module

    model = subject.model
    model.set_attn_implementation("eager")  # fused attention never computes the pattern that hooks read
    bridge = build_bridge_from_module(model, type(model).__name__, hf_config=model.config)
    return replace(subject, bridge=bridge)
