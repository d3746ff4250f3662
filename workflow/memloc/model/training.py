"""Train a model, new or pretrained, on the embedded data's training stream, resumably and repeatably.

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
from jaxtyping import Float, Int
from torch import Tensor
from transformers import (
    AttentionInterface,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from memloc.model.onednn import native_bfloat16
from memloc.model.pretrained import fuse_gelu, read_model, use_deterministic_algorithms
from memloc.run.atomic import atomic_path
from memloc.run.progress import Progress
from memloc.run.rule import log
from memloc.run.seeds import generator
from memloc.settings.model import EmbeddedModel, PlantedModel

CLIP_NORM = 1.0
WEIGHT_DECAY = 0.01
LOG_STEPS = 20
CHECKPOINT_STEPS = 40  # a killed training resumes from the last such step
SHORT = "short"  # name of `short_attention` among transformers' implementations; no saved model has it
COEFFICIENTS = (3.4445, -4.775, 2.0315)  # of a Newton-Schulz iteration: torch's own
LOGITS_BYTES = 2**22  # logits in single precision that are held at a time
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


class Beside(Protocol):
    """Works on the model beside the ordinary steps: memories that grow (`planting.growth`)."""

    state: dict[str, Any]

    def begin(self, model: PreTrainedModel) -> None:
        """Before the first step."""

    def first(self, n_steps: int) -> int:
        """Number of the first ordinary step after which this work may change the model."""

    def step(self, step: int, n_steps: int, rows: Int[Tensor, "row token"]) -> None:
        """After the ordinary step of this number, on these rows."""


def trained_model(
    rows: Int[np.ndarray, "window position"],
    how: EmbeddedModel | PlantedModel,
    initial: InitialModel,
    order: int | None,
    checkpoints: Path,
    stamp: dict[str, Any],
    beside: Beside | None = None,
    branch: Path | None = None,
    start: Path | None = None,
) -> tuple[PreTrainedModel, Curve]:
    """A model that is trained on windows of text.

    Its checkpoint belongs to these settings, this text, these first weights and this code alone.

    Args:
        order: seed of the order of the windows; None: as they are.
        checkpoints: folder of the resumable state; the caller deletes it once the model is saved.
        stamp: everything else that the training depends on, as JSON can hold it.
        branch: file that gets the state of the training before the first step of `beside`.
        start: such a file; the training goes on from there, and not from the first step.

    Returns:
        The model, and the training curve of `train`.

    Raises:
        ModelError: `initial.base` cannot be read (`pretrained.read_model`).
    """
    use_deterministic_algorithms()
    rows = ordered(rows, order)
    if initial.base:
        model = read_model(initial.base)
    else:
        shape = {name: getattr(how, name) for name in ("n_layers", "n_heads", "width", "context")}
        model = new_model(initial.vocabulary, **shape, seed=initial.seed)
    bf16 = how.precision == "bfloat16" or (how.precision == "auto" and native_bfloat16(model.device))
    log(f"{model.num_parameters():,} parameters, {rows.size:,} tokens, {'bfloat16' if bf16 else 'float32'}")
    known = json.dumps([stamp, how.model_dump(mode="json"), initial.seed, bf16]).encode()
    checkpoint = checkpoints / f"{hashlib.sha256(known + rows.tobytes()).hexdigest()[:16]}.pt"
    progress = Progress(math.ceil(len(rows) / how.batch), "steps")

    def report(step: int, n_steps: int, loss: float) -> None:
        progress.at(step, f"loss {loss:.3f}")

    if beside:
        beside.begin(model)
    curve = train(model, rows, how, bf16, checkpoint, report, beside, start)
    if branch:
        with atomic_path(branch) as temporary:
            shutil.copyfile(_branch_of(checkpoint), temporary)
    return model, curve


def _branch_of(checkpoint: Path) -> Path:
    """Where the state before the first step of `beside` waits for the end of the training."""
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

    One matrix embeds and unembeds. With learned positions, a model of an early recipe memorized 46 paragraphs
    of the packed stream, with rotary ones 124.
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
        attn_implementation=SHORT,
    )
    model = GPTNeoXForCausalLM(config)
    fuse_gelu(model)
    return model


def short_attention(
    module: torch.nn.Module,
    query: Float[Tensor, "row head token dim"],
    key: Float[Tensor, "row head token dim"],
    value: Float[Tensor, "row head token dim"],
    attention_mask: None,
    scaling: float,
    **_: Any,
) -> tuple[Float[Tensor, "row token head dim"], None]:
    """Causal attention that equals the family's own up to rounding, in a quarter of the passes over memory.

    It scales, masks and multiplies at once, in one type. torch's own fused kernel takes twice as long here.
    """
    hidden = query.new_full((query.shape[-2],) * 2, -torch.inf).triu_(1)
    queries, keys, values = (states.flatten(0, 1) for states in (query, key, value))
    scores = torch.baddbmm(hidden, queries, keys.transpose(1, 2), alpha=scaling)
    mixed = torch.bmm(scores.softmax(dim=-1), values).view_as(value)
    return mixed.transpose(1, 2).contiguous(), None


AttentionInterface.register(SHORT, short_attention)


def ordered(rows: Int[np.ndarray, "window token"], seed: int | None) -> Int[np.ndarray, "window token"]:
    """The stream's windows in the random order of a seed; without a seed, in the order as drawn."""
    return rows if seed is None else rows[generator(seed, "training", "order").permutation(len(rows))]


def learning_rate(step: int, n_steps: int, peak: float, warmup: int) -> float:
    """Learning rate of `step` (from 0): linear warm-up times cosine decay to zero."""
    return peak * min(1.0, (step + 1) / warmup) * 0.5 * (1 + math.cos(math.pi * step / n_steps))


class _MeanNLL(torch.autograd.Function):
    """Mean NLL in nats, computed together with its gradient, (softmax(logits) - onehot(true)) / n.

    A few tokens are taken at a time, so that their logits stay in the processor's cache.
    """

    @staticmethod
    def forward(
        ctx: Any, logits: Float[Tensor, "token vocabulary"], true: Int[Tensor, "token"]
    ) -> Float[Tensor, ""]:
        n, n_held = len(true), max(1, LOGITS_BYTES // (4 * logits.shape[1]))
        slopes, total = torch.empty_like(logits), torch.zeros((), dtype=torch.float64)
        for some, found, their in zip(*(x.split(n_held) for x in (logits, slopes, true)), strict=True):
            at = torch.arange(len(their)), their
            p = some.to(torch.float32, copy=True)
            p -= p.amax(dim=-1, keepdim=True)
            total -= p[at].sum()
            sums = p.exp_().sum(dim=-1, keepdim=True)
            total += sums.log().sum()
            p /= sums * n
            p[at] -= 1 / n
            found.copy_(p)
        ctx.save_for_backward(slopes)
        return (total / n).float()

    @staticmethod
    def backward(ctx: Any, weight: Float[Tensor, ""]) -> tuple[Float[Tensor, "token vocabulary"], None]:
        (slopes,) = ctx.saved_tensors
        return slopes * weight.to(slopes.dtype), None


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


def language_model_loss(model: PreTrainedModel, rows: Int[Tensor, "row token"]) -> Float[Tensor, ""]:
    """Mean NLL in nats of every token but the first of each row."""
    logits = model(rows[:, :-1], use_cache=False).logits
    return _MeanNLL.apply(logits.flatten(0, 1), rows[:, 1:].flatten())


def layer_matrices(model: PreTrainedModel) -> list[torch.nn.Parameter]:
    """The matrices of all layers, which are the W_* weights: no embedding, and no unembedding.

    Shapes and modules decide, not the table of families: a change of that table must rerun no training.
    """
    embeddings = {module.weight for module in model.modules() if isinstance(module, torch.nn.Embedding)}
    return [each for each in model.base_model.parameters() if each.ndim == 2 and each not in embeddings]


class SinglePrecisionMuon(torch.optim.Muon):
    """`torch.optim.Muon` with its settings and state, whose updates are not rounded to bfloat16.

    On a processor without native bfloat16, a training step of `mini` takes 0.74 of the time of torch's. As
    with `adjust_lr_fn="match_rms_adamw"`, steps are scaled to the size of AdamW's (2502.16982).
    """

    @torch.no_grad()
    def step(self) -> None:
        """Move every matrix once."""
        for group in self.param_groups:
            for weight in group["params"]:
                state = self.state[weight]
                mean = state.setdefault("momentum_buffer", torch.zeros_like(weight))
                mean.lerp_(weight.grad, 1 - group["momentum"])
                update = nearly_orthogonal(weight.grad.lerp(mean, group["momentum"]), group["ns_steps"])
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.add_(update, alpha=-0.2 * group["lr"] * max(weight.shape) ** 0.5)


def nearly_orthogonal(matrix: Float[Tensor, "row column"], n_iterations: int) -> Float[Tensor, "row column"]:
    """A matrix with the same singular vectors, and singular values near one, by Newton-Schulz iterations.

    Each iteration multiplies by a polynomial of the Gram matrix. The polynomials are multiplied with each
    other first, because the Gram matrix is smaller.
    """
    a, b, c = COEFFICIENTS
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.t()
    wide = wide / wide.norm().clamp(min=1e-7)
    gram, product = wide @ wide.t(), torch.eye(len(wide), dtype=wide.dtype)
    for number in range(n_iterations):
        factor = torch.addmm(gram, gram, gram, beta=b, alpha=c)
        factor.diagonal().add_(a)
        product = factor @ product if number else factor
        if number < n_iterations - 1:
            gram = factor @ gram @ factor
    wide = product @ wide
    return wide if wide.shape == matrix.shape else wide.t()


def optimizers(
    model: PreTrainedModel, kind: Literal["adamw", "muon"], peak: float, bf16: bool
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
    muon = torch.optim.Muon if bf16 else SinglePrecisionMuon
    how = {"weight_decay": WEIGHT_DECAY, "adjust_lr_fn": "match_rms_adamw"}
    return [muon(matrices, lr=peak, **how), adamw]


def train(
    model: PreTrainedModel,
    rows: Int[np.ndarray, "row token"],
    how: EmbeddedModel | PlantedModel,
    bf16: bool,
    checkpoint: Path,
    report: Callable[[int, int, float], None],
    beside: Beside | None = None,
    start: Path | None = None,
) -> Curve:
    """One pass over `rows`; `model` is trained in place.

    Args:
        checkpoint: file of the resumable state; read if it exists, written every CHECKPOINT_STEPS.
        report: called with step, number of steps and loss every few steps.
        start: file of the state to go on from where there is no checkpoint.

    Returns:
        The training curve, a point every few steps.
    """
    steppers = optimizers(model, how.optimizer, how.learning_rate, bf16)
    n_steps = math.ceil(len(rows) / how.batch)
    first, curve, losses = _resume(model, steppers, checkpoint if checkpoint.exists() else start, beside)
    if first:
        log(f"resumed at step {first} of {n_steps}")
    model.eval()  # a pretrained model may have dropout
    for step in range(first, n_steps):
        if beside and step == beside.first(n_steps):
            _save(model, steppers, _branch_of(checkpoint), _state(step, curve, losses, beside))
        rate = learning_rate(step, n_steps, how.learning_rate, how.warmup_steps)
        for stepper in steppers:
            stepper.param_groups[0]["lr"] = rate
        batch = torch.from_numpy(rows[step * how.batch : (step + 1) * how.batch])
        with in_precision(model, bf16):
            loss = language_model_loss(model, batch)
        model.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM, foreach=True)
        for stepper in steppers:
            stepper.step()
        if beside:
            with in_precision(model, bf16):
                beside.step(step, n_steps, batch)
        losses.append(loss.item())
        if step % LOG_STEPS == 0 or step == n_steps - 1:
            curve.append((step + 1, sum(losses) / len(losses), rate))
            losses = []
            report(step + 1, n_steps, curve[-1][1])
        if (step + 1) % CHECKPOINT_STEPS == 0:
            _save(model, steppers, checkpoint, _state(step + 1, curve, losses, beside))
    return curve


def _state(step: int, curve: Curve, losses: list[float], beside: Beside | None) -> dict[str, Any]:
    return {"step": step, "curve": curve, "losses": losses, "beside": beside and beside.state}


def _save(
    model: PreTrainedModel,
    steppers: list[torch.optim.Optimizer],
    path: Path,
    state: dict[str, Any],
) -> None:
    state |= {"model": model.state_dict(), "optimizers": [each.state_dict() for each in steppers]}
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary:
        torch.save(state, temporary)


def _resume(
    model: PreTrainedModel, steppers: list[torch.optim.Optimizer], path: Path | None, beside: Beside | None
) -> tuple[int, Curve, list[float]]:
    """Steps that were done, the curve until then, and the losses since its last point."""
    if path is None:
        return 0, [], []
    state = torch.load(path, weights_only=True)
    model.load_state_dict(state["model"])
    for stepper, its in zip(steppers, state["optimizers"], strict=True):
        stepper.load_state_dict(its)
    if beside:
        beside.state = state["beside"]
    return state["step"], [tuple(point) for point in state["curve"]], state["losses"]
