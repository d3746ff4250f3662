"""Train a model, new or pretrained, on the training text of `data`, resumably and repeatably.

Rows of a batch are windows of packed text (`memloc.data.packing`). As in the training of real models, nothing
hides one document of a window from the next. State is checkpointed atomically every few steps. A killed
training goes on from the last checkpoint and gives the same weights, because the order of the stream and the
learning rate depend on the step alone, and nothing is dropped out.
"""

import hashlib
import json
import math
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor
from transformers import GPTNeoXConfig, GPTNeoXForCausalLM, PreTrainedModel, PreTrainedTokenizerBase

from memloc.model.muon import Muon
from memloc.model.pretrained import (
    fuse_gelu,
    native_bfloat16,
    read_model,
    use_deterministic_algorithms,
)
from memloc.run.atomic import atomic_path
from memloc.run.progress import Progress
from memloc.run.rule import log
from memloc.run.seeds import generator
from memloc.settings.model import EmbeddedModel, FineTunedModel

CLIP_NORM = 1.0
WEIGHT_DECAY = 0.01
LOG_STEPS = 20
CHECKPOINT_STEPS = 40  # a killed training resumes from the last such step
Curve = list[tuple[int, float, float]]
"""Step, mean loss since the last point (nats per token), learning rate."""


class Beginning(NamedTuple):
    """The model before its training, pretrained or with random weights, and the order of its text."""

    base: str | None
    """Folder of the pretrained model; None: random weights."""
    vocabulary: int
    """Tokens of a model with random weights."""
    seed: int
    """Seed of random weights."""
    order: int | None
    """Seed of the order of the windows; None: as they are."""


class Files(NamedTuple):
    """Where the state of a training is kept."""

    checkpoints: Path
    """Folder of the resumable state; the caller deletes it once the model is saved."""
    branch: Path | None = None
    """File that gets the state before the first step of the work beside the training."""
    start: Path | None = None
    """Such a file: the training goes on from there, and not from the first step."""


class Beside(Protocol):
    """Work that changes the model after ordinary steps: it grows memories (`planting.growth`)."""

    state: dict[str, Any]

    def begin(self, model: PreTrainedModel) -> None:
        """Called before the first step."""

    def first(self, n_steps: int) -> int:
        """Number of the first ordinary step after which this work may change the model."""

    def step(self, step: int, n_steps: int, rows: Int[Tensor, "row token"]) -> None:
        """Called after ordinary step number `step`, which was on these rows."""


def trained_model(
    rows: Int[np.ndarray, "window position"],
    how: EmbeddedModel | FineTunedModel,
    beginning: Beginning,
    files: Files,
    stamp: dict[str, Any],
    beside: Beside | None = None,
) -> tuple[PreTrainedModel, Curve]:
    """A model that is trained on windows of text.

    Only a training with the same settings, text, first weights and code resumes its checkpoint.

    Args:
        stamp: everything else that the training depends on, as JSON can hold it.

    Returns:
        The model, and its training curve, a point every few steps.

    Raises:
        ModelError: `beginning.base` cannot be read (`pretrained.read_model`).
    """
    use_deterministic_algorithms()
    rows = ordered(rows, beginning.order)
    if beginning.base:
        model = read_model(beginning.base)
    else:
        shape = {name: getattr(how, name) for name in ("n_layers", "n_heads", "width", "context")}
        model = new_model(beginning.vocabulary, **shape, seed=beginning.seed)
    bf16 = how.precision == "bfloat16" or (how.precision == "auto" and native_bfloat16(model.device))
    log(f"{model.num_parameters():,} parameters, {rows.size:,} tokens, {'bfloat16' if bf16 else 'float32'}")
    known = json.dumps([stamp, how.model_dump(mode="json"), beginning.seed, bf16]).encode()
    checkpoint = files.checkpoints / f"{hashlib.sha256(known + rows.tobytes()).hexdigest()[:16]}.pt"
    progress = Progress(math.ceil(len(rows) / how.batch), "steps")
    if beside:
        beside.begin(model)
    curve = Training(model, how, bf16, beside).run(
        rows, checkpoint, lambda step, _, loss: progress.at(step, f"loss {loss:.3f}"), files.start
    )
    if files.branch:
        with atomic_path(files.branch) as temporary:
            shutil.copyfile(_branch_of(checkpoint), temporary)
    return model, curve


def _branch_of(checkpoint: Path) -> Path:
    """File that keeps the state before the first step of `beside` until the training ends."""
    return checkpoint.with_suffix(".branch.pt")


def saved(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> Path:
    """Save a model and its tokenizer into a folder that can be loaded like the study's own model."""
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def new_model(
    vocabulary: int, n_layers: int, n_heads: int, width: int, context: int, seed: int
) -> GPTNeoXForCausalLM:
    """Randomly initialised GPT-NeoX, the family of Pythia, with rotary positions over `context` tokens.

    One matrix embeds and unembeds. With an early recipe, a model with learned positions memorized 46
    paragraphs of the packed stream, and one with rotary positions 124.
    """
    torch.manual_seed(seed)
    config = GPTNeoXConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=4 * width,
        num_hidden_layers=n_layers,
        num_attention_heads=n_heads,
        max_position_embeddings=context,
        rotary_pct=1.0,
        hidden_act="gelu_new",
        tie_word_embeddings=True,
        bos_token_id=0,
        eos_token_id=0,
    )
    model = GPTNeoXForCausalLM(config)
    fuse_gelu(model)
    return model


def ordered(rows: Int[np.ndarray, "window token"], seed: int | None) -> Int[np.ndarray, "window token"]:
    """The stream's windows in the random order of a seed; without a seed, in the order as drawn."""
    return rows if seed is None else rows[generator(seed, "training", "order").permutation(len(rows))]


def learning_rate(step: int, n_steps: int, peak: float, warmup: int) -> float:
    """Learning rate of `step` (from 0): linear warm-up times cosine decay to zero."""
    return peak * min(1.0, (step + 1) / warmup) * 0.5 * (1 + math.cos(math.pi * step / n_steps))


@contextmanager
def in_precision(model: PreTrainedModel, bf16: bool) -> Iterator[None]:
    """Within the context, the model computes in bfloat16 where torch can. Without `bf16`, nothing changes.

    LayerNorms return bfloat16, too: otherwise, every layer that reads one would round its output again.
    """
    norms = [module for module in model.modules() if bf16 and isinstance(module, torch.nn.LayerNorm)]
    with ExitStack() as hooks, torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        for norm in norms:
            hooks.enter_context(norm.register_forward_hook(lambda module, inputs, out: out.bfloat16()))
        yield


def layer_matrices(model: PreTrainedModel) -> list[torch.nn.Parameter]:
    """The matrices of all layers, which are the W_* weights: no embedding, and no unembedding.

    Shapes and modules decide, not the table of families: a change of that table must rerun no training.
    """
    embeddings = {module.weight for module in model.modules() if isinstance(module, torch.nn.Embedding)}
    return [each for each in model.base_model.parameters() if each.ndim == 2 and each not in embeddings]


def optimizers(
    model: PreTrainedModel, kind: Literal["adamw", "muon"], peak: float
) -> list[torch.optim.Optimizer]:
    """AdamW for all weights, or Muon for the layers' matrices and AdamW for the others.

    Muon makes the update of a matrix orthogonal, so that rare directions count as much as frequent ones. Its
    steps are scaled to the size of AdamW's, which lets both take one learning rate (2502.16982).
    """
    matrices = layer_matrices(model) if kind == "muon" else []
    others = [weight for weight in model.parameters() if weight not in set(matrices)]
    adamw = torch.optim.AdamW(others, lr=peak, betas=(0.9, 0.95), weight_decay=WEIGHT_DECAY, fused=True)
    if not matrices:
        return [adamw]
    return [Muon(matrices, {"lr": peak, "weight_decay": WEIGHT_DECAY}), adamw]


class Training:
    """One pass over windows of text, which trains a model in place."""

    def __init__(
        self,
        model: PreTrainedModel,
        how: EmbeddedModel | FineTunedModel,
        bf16: bool,
        beside: Beside | None = None,
    ) -> None:
        self._model, self._how, self._bf16, self._beside = model, how, bf16, beside
        self._optimizers = optimizers(model, how.optimizer, how.learning_rate)
        self._done, self._curve, self._losses = 0, [], []  # losses since the curve's last point

    def run(
        self,
        rows: Int[np.ndarray, "row token"],
        checkpoint: Path,
        report: Callable[[int, int, float], None],
        start: Path | None = None,
    ) -> Curve:
        """Train on all rows, and return the training curve.

        Args:
            checkpoint: file of the resumable state; read if it exists, written every CHECKPOINT_STEPS.
            report: called with step, number of steps and loss every few steps.
            start: file of the state to go on from if there is no checkpoint.
        """
        n_steps = math.ceil(len(rows) / self._how.batch)
        if state := checkpoint if checkpoint.exists() else start:
            self.resume(state)
            log(f"resumed at step {self._done} of {n_steps}")
        elif checkpoint.parent.exists():
            log("a killed training has left no checkpoint of this text, code and settings: begins at step 1")
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        self._model.eval()  # a pretrained model may have dropout
        for step in range(self._done, n_steps):
            if self._beside and step == self._beside.first(n_steps):
                self._save(_branch_of(checkpoint))
            rate = learning_rate(step, n_steps, self._how.learning_rate, self._how.warmup_steps)
            batch = torch.from_numpy(rows[step * self._how.batch : (step + 1) * self._how.batch])
            self._step(batch, rate)
            if self._beside:
                with in_precision(self._model, self._bf16):
                    self._beside.step(step, n_steps, batch)
            if step % LOG_STEPS == 0 or step == n_steps - 1:
                self._curve.append((step + 1, sum(self._losses) / len(self._losses), rate))
                self._losses = []
                report(step + 1, n_steps, self._curve[-1][1])
            if (step + 1) % CHECKPOINT_STEPS == 0:
                self._save(checkpoint)
        return self._curve

    def _step(self, batch: Int[Tensor, "row token"], rate: float) -> None:
        with in_precision(self._model, self._bf16):
            loss = self._model(batch, labels=batch, use_cache=False).loss
        self._model.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._model.parameters(), CLIP_NORM, foreach=True)
        for each in self._optimizers:
            each.param_groups[0]["lr"] = rate
            each.step()
        self._losses.append(loss.item())
        self._done += 1

    def _save(self, path: Path) -> None:
        state = {
            "step": self._done,
            "curve": self._curve,
            "losses": self._losses,
            "beside": self._beside and self._beside.state,
            "model": self._model.state_dict(),
            "optimizers": [each.state_dict() for each in self._optimizers],
        }
        with atomic_path(path) as temporary:
            torch.save(state, temporary)

    def resume(self, path: Path) -> None:
        """Take over a stored state, from which `run` goes on."""
        state = torch.load(path, weights_only=True)
        self._model.load_state_dict(state["model"])
        for each, its in zip(self._optimizers, state["optimizers"], strict=True):
            each.load_state_dict(its)
        if self._beside:
            self._beside.state = state["beside"]
        self._done, self._losses = state["step"], state["losses"]
        self._curve = [tuple(point) for point in state["curve"]]
