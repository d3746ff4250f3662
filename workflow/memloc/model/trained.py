"""Train a model from settings and windows of text: the study's own, or one of other text or first weights.

A checkpoint belongs to one training: to its settings, text, first weights and code. No other resumes from it.
"""

import hashlib
import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from memloc.model import onednn, pretrained, training
from memloc.run.progress import Progress
from memloc.run.rule import log
from memloc.settings.model import EmbeddedModel, PlantedModel

Curve = list[tuple[int, float, float]]
"""Step, mean loss since the last point (nats per token), learning rate."""


class InitialModel(NamedTuple):
    """The model before its training: pretrained, or with random weights."""

    base: str | None
    """Folder of the pretrained model; None: random weights."""
    vocabulary: int
    """Tokens of a model with random weights."""
    seed: int
    """Seed of random weights."""


def trained_model(
    rows: Int[np.ndarray, "window position"],
    how: EmbeddedModel | PlantedModel,
    initial: InitialModel,
    order: int | None,
    checkpoints: Path,
    stamp: dict[str, Any],
) -> tuple[PreTrainedModel, Curve]:
    """A model that is trained on windows of text.

    Args:
        order: seed of the order of the windows; None: as they are.
        checkpoints: folder of the resumable state; whoever has saved the model deletes it.
        stamp: everything else that the training depends on, as JSON can hold it.

    Returns:
        The model, and the training curve of `training.train`.

    Raises:
        ModelError: `initial.base` cannot be read (`pretrained.read_model`).
    """
    pretrained.use_deterministic_algorithms()
    rows = training.ordered(rows, order)
    if initial.base:
        model = pretrained.read_model(initial.base)
    else:
        shape = {name: getattr(how, name) for name in ("n_layers", "n_heads", "width", "context")}
        model = training.new_model(initial.vocabulary, **shape, seed=initial.seed)
    native = onednn.native_bfloat16(model.device)
    bf16 = how.precision == "bfloat16" or (how.precision == "auto" and native)
    log(f"{model.num_parameters():,} parameters, {rows.size:,} tokens, {'bfloat16' if bf16 else 'float32'}")
    known = json.dumps([stamp, how.model_dump(mode="json"), initial.seed, bf16]).encode()
    checkpoint = checkpoints / f"{hashlib.sha256(known + rows.tobytes()).hexdigest()[:16]}.pt"
    progress = Progress(math.ceil(len(rows) / how.batch), "steps")

    def report(step: int, n_steps: int, loss: float) -> None:
        progress.at(step, f"loss {loss:.3f}")

    return model, training.train(model, rows, how, bf16, checkpoint, report)


def saved(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> Path:
    """Save a model and its tokenizer into a folder, from which the model is loaded as the study's own is."""
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
