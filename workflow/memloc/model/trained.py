"""A model from settings and windows of text: the study's own, or another one on other text or first weights.

A checkpoint belongs to these settings, this text and this code, so that no other training resumes from it.
"""

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from memloc.model import onednn, pretrained, training
from memloc.run.progress import Progress
from memloc.run.rule import log
from memloc.settings.model import EmbeddedModel, PlantedModel

Curve = list[tuple[int, float, float]]
"""Step, mean loss since the last point (nats per token), learning rate."""


def trained_model(
    rows: Int[np.ndarray, "window position"],
    how: EmbeddedModel | PlantedModel,
    tokenizer: PreTrainedTokenizerBase,
    base: str | None,
    seeds: tuple[int, int | None],
    checkpoints: Path,
    stamp: dict[str, Any],
) -> tuple[PreTrainedModel, Curve]:
    """A model that is trained on `rows` from `base` (a folder), or from random weights where there is none.

    Args:
        seeds: of the first weights, and of the order of the windows (None: as they are).
        checkpoints: folder of the resumable state; whoever has saved the model deletes it.
        stamp: what else the training depends on, as JSON can hold it.

    Returns:
        The model, and the training curve of `training.train`.

    Raises:
        ModelError: `base` cannot be read (`pretrained.read_model`).
    """
    pretrained.use_deterministic_algorithms()
    of_weights, of_order = seeds
    rows = training.ordered(rows, of_order)
    if base:
        model = pretrained.read_model(base)
    else:
        shape = {name: getattr(how, name) for name in ("n_layers", "n_heads", "width", "context")}
        model = training.new_model(len(tokenizer), **shape, seed=of_weights)
    native = onednn.native_bfloat16(model.device)
    bf16 = how.precision == "bfloat16" or (how.precision == "auto" and native)
    log(f"{model.num_parameters():,} parameters, {rows.size:,} tokens, {'bfloat16' if bf16 else 'float32'}")
    known = json.dumps([stamp, how.model_dump(mode="json"), of_weights, bf16]).encode()
    checkpoint = checkpoints / f"{hashlib.sha256(known + rows.tobytes()).hexdigest()[:16]}.pt"
    progress = Progress(math.ceil(len(rows) / how.batch), "steps")
    curve = training.train(
        model,
        rows,
        how,
        bf16,
        checkpoint,
        report=lambda step, n_steps, loss: progress.at(step, f"loss {loss:.3f}"),
    )
    return model, curve


def saved(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> Path:
    """The folder, with the model and its tokenizer in it: loaded again, it computes as the study's does."""
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
