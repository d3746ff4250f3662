"""The memory that rules ask for: a base, and a multiple of the bytes of the weights, for each kind of rule.

It is no guarantee: killed jobs are tried again with twice the memory. docs/memory.md says what was measured.
"""

import json
import math
import re
from pathlib import Path
from typing import Literal, NamedTuple

from memloc.model.families import family
from memloc.settings.loading import Loading
from memloc.settings.study import Settings

Kind = Literal["score", "gradients", "edit", "training"]
UNKNOWN = 1.4e9  # parameters of a model of which nothing is known
UNLIKE_NAMED = {  # parameters of models whose names do not say them, or are a fifth off
    "openai-community/gpt2": 124e6,
    "allenai/OLMo-1B-hf": 1.18e9,
    "allenai/OLMo-2-0425-1B": 1.48e9,
    "allegrolab/hubble-1b-100b_toks-perturbed-hf": 1.18e9,
    "allegrolab/hubble-1b-100b_toks-standard-hf": 1.18e9,
}
# Bytes at the peak of a rule, and for each byte of the weights.
NEEDS: dict[Kind, tuple[float, float]] = {
    "score": (1.2e9, 1.2),
    "gradients": (1.9e9, 2.8),  # what autograd keeps
    "edit": (1.0e9, 7.5),  # weights twice, gradients twice, Adam's moments, a step's terms
    "training": (3.5e9, 4),  # weights, gradients, moments; the base holds logits of windows
}
SINGLE = ("edit", "training")  # weights are in single precision whatever `loading.dtype` is


class Shape(NamedTuple):
    """The sizes of a model that decide its memory and time."""

    n_layers: int
    n_heads: int
    width: int
    vocabulary: int
    n_parameters: int


def megabytes(kind: Kind, shape: Shape, loading: Loading, on_gpu: bool = False) -> int:
    """Memory (MB) that a rule of a kind asks the machine for, or takes of its GPU.

    With `loading.device: cuda`, the machine's memory holds the model only during loading.
    """
    if loading.device == "cuda" and kind != "training" and not on_gpu:
        kind = "score"
    base, per_byte = NEEDS[kind]
    n_bytes = 2 if loading.dtype == "bfloat16" and kind not in SINGLE else 4
    return math.ceil((base + per_byte * n_bytes * shape.n_parameters) / 1e6)


def shape_of(settings: Settings, folder: Path | str) -> Shape:
    """Shape of a study's model: by its settings, by the files of its folder, or else by its name.

    Raises:
        InputError: the family is not supported.
    """
    model, config = settings.model, Path(folder) / "config.json"
    if model.source == "embedded":
        vocabulary, n_weights = settings.data.vocabulary, 12 * model.n_layers * model.width**2
        n_parameters = n_weights + vocabulary * model.width
        return Shape(model.n_layers, model.n_heads, model.width, vocabulary, n_parameters)
    if not config.is_file():
        return usual_shape(named_parameters(getattr(model, "id", None) or getattr(model, "file", "")))
    values = json.loads(config.read_text())
    family(values["model_type"])
    n_bytes = 2 if "16" in str(values.get("dtype") or values.get("torch_dtype")) else 4
    return usual_shape(sum(file.stat().st_size for file in config.parent.glob("*.safetensors")) / n_bytes)


def named_parameters(name: str) -> float:
    """Number of parameters of a model, which names like pythia-1.4b say."""
    said = re.search(r"(\d+(?:\.\d+)?)([mb])\b", name.lower())
    return UNLIKE_NAMED.get(name) or (float(said[1]) * {"m": 1e6, "b": 1e9}[said[2]] if said else UNKNOWN)


def usual_shape(n_parameters: float) -> Shape:
    """A shape as models of so many parameters have it: 85 times as wide as deep, with heads of 128."""
    n_heads = max(1, round((n_parameters * 85 / 12) ** (1 / 3) / 128))
    return Shape(math.ceil(128 * n_heads / 85), n_heads, 128 * n_heads, 50_304, round(n_parameters))
