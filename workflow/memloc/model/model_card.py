"""The identity of a model: written once per study and stamped into every table that the model computed."""

from pathlib import Path
from typing import Any

import pandas as pd
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from memloc.model.context import COMMIT
from memloc.model.pretrained import ModelError, weights_sha256
from memloc.model.token_text import decoded


def describe(model: PreTrainedModel, folder: Path | str, name: str, revision: str | None) -> dict[str, Any]:
    """Name, revision, hash of the weights and sizes of a model. ModelError: no safetensors file.

    If the folder names the commit that it was downloaded at, the commit takes the place of `revision`.
    """
    config, commit = model.config, Path(folder) / COMMIT
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


def require_distinct(cards: dict[str, dict[str, Any]]) -> None:
    """Stop a study of checkpoints that are the same model: some revisions hold the final weights by mistake.

    `cards` has the description of every model by its name.

    Raises:
        ModelError: models have the same weights; the message names them and their revisions.
    """
    same: dict[str, list[str]] = {}
    for name, card in cards.items():
        same.setdefault(card["sha256"], []).append(f"{name} (revision {card['revision']})")
    if twins := [names for names in same.values() if len(names) > 1]:
        said = "; ".join(" and ".join(names) for names in twins)
        raise ModelError(
            f"models: {said} have the same weights, so they are not the checkpoints of different steps "
            "(EleutherAI/pythia, issue 205): leave out all of them but the one whose step is right"
        )


def vocabulary(tokenizer: PreTrainedTokenizerBase) -> pd.DataFrame:
    """Every token (id) and its text; bytes that are no valid text alone become the replacement character."""
    tokens = torch.arange(len(tokenizer))
    return pd.DataFrame({"token": tokens.numpy(), "text": decoded(tokens[:, None], tokenizer)})
