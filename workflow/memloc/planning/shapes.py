"""The shape of a study's model, from which memory and time are estimated before it is downloaded."""

import json
from pathlib import Path
from typing import NamedTuple

from memloc.model.families import family
from memloc.settings.study import Settings


class Shape(NamedTuple):
    """The sizes of a model, from its config.json, that decide its memory and time."""

    n_layers: int
    width: int
    n_heads: int
    n_kv_heads: int
    d_head: int
    d_mlp: int
    gated: bool  # three MLP matrices instead of two
    vocabulary: int
    tied: bool  # one matrix embeds and unembeds

    @property
    def n_component_weights(self) -> int:
        """W_* weights, with respect to which gradients are taken."""
        attention = 2 * self.width * self.d_head * (self.n_heads + self.n_kv_heads)
        return self.n_layers * (attention + (3 if self.gated else 2) * self.width * self.d_mlp)

    @property
    def n_parameters(self) -> int:
        """Weights of the layers and of the vocabulary; others are under a fiftieth."""
        return self.n_component_weights + self.vocabulary * self.width * (1 if self.tied else 2)

    def operations(self, n_tokens: int, n_unembedded: int) -> int:
        """Operations of the products of a forward pass over tokens, with the logits of some of them."""
        return 2 * (self.n_component_weights * n_tokens + self.width * self.vocabulary * n_unembedded)


def _gpt(n_layers: int, width: int, n_heads: int, vocabulary: int, tied: bool = False) -> Shape:
    return Shape(n_layers, width, n_heads, n_heads, width // n_heads, 4 * width, False, vocabulary, tied)


# From the config.json of each model.
HUBBLE = Shape(16, 2048, 32, 8, 64, 8192, True, 50304, False)
PUBLISHED = {
    "EleutherAI/gpt-neo-125m": _gpt(12, 768, 12, 50257, True),
    "EleutherAI/gpt-neo-1.3B": _gpt(24, 2048, 16, 50257, True),
    "EleutherAI/gpt-neo-2.7B": _gpt(32, 2560, 20, 50257, True),
    "openai-community/gpt2": _gpt(12, 768, 12, 50257, True),
    "HuggingFaceTB/SmolLM2-135M": Shape(30, 576, 9, 3, 64, 1536, True, 49152, True),
    "EleutherAI/pythia-70m-deduped": _gpt(6, 512, 8, 50304),
    "EleutherAI/pythia-160m-deduped": _gpt(12, 768, 12, 50304),
    "EleutherAI/pythia-410m-deduped": _gpt(24, 1024, 16, 50304),
    "EleutherAI/pythia-1b-deduped": _gpt(16, 2048, 8, 50304),
    "allenai/OLMo-1B-hf": Shape(16, 2048, 16, 16, 128, 8192, True, 50304, True),
    "allegrolab/hubble-1b-100b_toks-perturbed-hf": HUBBLE,
    "allegrolab/hubble-1b-100b_toks-standard-hf": HUBBLE,
    "allenai/OLMo-2-0425-1B": Shape(16, 2048, 16, 16, 128, 8192, True, 100352, False),
    "EleutherAI/pythia-1.4b-deduped": _gpt(24, 2048, 16, 50304),
    "EleutherAI/pythia-2.8b-deduped": _gpt(32, 2560, 32, 50304),
    "EleutherAI/pythia-6.9b-deduped": _gpt(32, 4096, 32, 50432),
    "allenai/Olmo-3-1025-7B": Shape(32, 4096, 32, 32, 128, 11008, True, 100278, False),
    "EleutherAI/pythia-12b-deduped": _gpt(36, 5120, 40, 50688),
}
UNKNOWN = PUBLISHED["EleutherAI/pythia-1.4b-deduped"]


def read_shape(config: Path | str) -> Shape:
    """Shape from a config.json, without importing transformers. InputError: the family is not supported."""
    values = json.loads(Path(config).read_text())

    def first(*names: str, default: int | None = None) -> int:
        found = (values[name] for name in names if values.get(name) is not None)
        return next(found, default)

    width, n_heads = first("hidden_size", "n_embd"), first("num_attention_heads", "n_head", "num_heads")
    kind = family(values["model_type"])
    return Shape(
        n_layers=first("num_hidden_layers", "n_layer", "num_layers"),
        width=width,
        n_heads=n_heads,
        n_kv_heads=first("num_key_value_heads", default=n_heads),
        d_head=first("head_dim", default=width // n_heads),
        d_mlp=first("intermediate_size", "n_inner", default=4 * width),
        gated=kind.gated,
        vocabulary=values["vocab_size"],
        tied=values.get("tie_word_embeddings", kind.tied),
    )


def shape_of(settings: Settings, folder: Path | str) -> Shape:
    """Shape of a study's model, known by its id or read from its folder.

    A model of the hub that is neither in `PUBLISHED` nor downloaded gets the shape of a 1.4 B model.
    """
    model, config = settings.model, Path(folder) / "config.json"
    if model.source == "embedded":
        return _gpt(model.n_layers, model.width, model.n_heads, settings.data.vocabulary, tied=True)
    if model.source == "hub" and model.id in PUBLISHED:
        return PUBLISHED[model.id]
    if model.source == "fine_tuned":
        return PUBLISHED["HuggingFaceTB/SmolLM2-135M"]
    return read_shape(config) if config.is_file() else UNKNOWN
