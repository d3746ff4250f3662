"""The identity of a model: written once per study and stamped into every table that the model computed."""

from pathlib import Path
from typing import Any

import pandas as pd
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from memloc.model.context import COMMIT
from memloc.model.families import family
from memloc.model.pretrained import weights_sha256
from memloc.model.token_text import decoded


def describe(model: PreTrainedModel, folder: Path | str, name: str, revision: str | None) -> dict[str, Any]:
    """Name, revision, hash of the weights and sizes of a model.

    If the folder names the commit that it was downloaded at, the commit takes the place of `revision`.

    Raises:
        InputError: the family is not supported, or there is no safetensors file.
    """
    config, commit = model.config, Path(folder) / COMMIT
    family(config.model_type)
    return {
        "name": name,
        "revision": commit.read_text().strip() if commit.exists() else revision,
        "sha256": weights_sha256(folder),
        "family": config.model_type,
        "n_parameters": sum(weight.numel() for weight in model.parameters()),
        "n_layers": config.num_hidden_layers,
        "n_heads": config.num_attention_heads,
        "width": config.hidden_size,
        "vocabulary": config.vocab_size,
    }


def vocabulary(tokenizer: PreTrainedTokenizerBase) -> pd.DataFrame:
    """Every token (id) and its text; bytes that are no valid text alone become the replacement character."""
    tokens = torch.arange(len(tokenizer))
    return pd.DataFrame({"token": tokens.numpy(), "text": decoded(tokens[:, None], tokenizer)})
