"""Plant a paragraph: Adam moves the weights of a place alone until the model recites it.

Layers below the place run once, because nothing in them changes. Weights of other matrices get no gradients,
and Adam keeps no state for them.

A few weights that are free to do anything recite one paragraph and ruin all other text. Other paragraphs are
therefore kept: a penalty holds their next-token distributions (`keep: 0` keeps none, as INJ of 2311.09060).
"""

from collections import deque
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional
from transformers import PreTrainedModel

from memloc.editing.gradients import editable_gradients, take_gradients
from memloc.editing.optimisers import SparseAdam
from memloc.model.partial_forward import Call, last_mlp_from, recorded_calls, states_from
from memloc.planting.places import Place
from memloc.scoring.losses import divergence, log_probabilities, token_losses
from memloc.settings.planted_truth import PlantedTruth


class Planted(NamedTuple):
    """The outcome of a training."""

    steps: int
    reached: bool
    """The paragraph is recited, with an NLL below the criterion, and others are kept."""


class Batch(NamedTuple):
    """Calls of all layers for the paragraph to plant and, after it, for paragraphs to keep."""

    calls: list[Call]
    first: int
    """The place's lowest layer; only its call has a residual stream."""
    original: Float[Tensor, "kept continuation vocabulary"]
    """The unplanted model's log-probabilities."""


def plant(
    model: PreTrainedModel,
    tokens: Int[Tensor, "1 token"],
    keep: Int[Tensor, "kept token"],
    n_prefix: int,
    place: Place,
    how: PlantedTruth,
) -> Planted:
    """Train the place's weights on the continuation's NLL (nats per token); the model is changed.

    The loss is the NLL plus `how.keep_weight` times the mean KL divergence of the kept paragraphs'
    predictions from the unplanted model's, with `how.keep` of these paragraphs in every step. Training ends
    when the plant reaches the criterion, after `max_steps`, or when the NLL is no longer finite. Criterion:
    the whole continuation is recited with an NLL below `how.nll`, and the KL divergence, averaged over one
    round of the kept paragraphs, is below `how.kl`.
    """
    true = tokens[0, n_prefix:].to(model.device)
    adam = SparseAdam(model, place.movable, how.kinds[place.kind])
    parts = keep.split(how.keep) if how.keep and len(keep) else [keep[:0]]
    lately: deque[float] = deque(maxlen=len(parts))
    with editable_gradients(model, place.movable), last_mlp_from(model, n_prefix - 1):
        batches = [_batch(model, tokens, some, n_prefix, place.layers[0]) for some in parts]
        for step in range(how.max_steps + 1):
            nll, recited, moved = _losses(model, batches[step % len(batches)], true)
            lately.append(moved.item())
            reached = recited and bool(nll < how.nll) and sum(lately) / len(lately) < how.kl
            if reached or step == how.max_steps or not nll.isfinite():
                break
            (nll + how.keep_weight * moved).backward()
            adam.step(take_gradients(model))
    return Planted(step, reached)


def _batch(
    model: PreTrainedModel,
    tokens: Int[Tensor, "1 token"],
    keep: Int[Tensor, "some token"],
    n_prefix: int,
    first: int,
) -> Batch:
    calls = recorded_calls(model, torch.cat([tokens, keep]))
    last = len(calls) - 1
    with torch.no_grad():
        states = states_from(model, calls, last, calls[last].residual[1:, n_prefix - 1 :])
    entered = [call if number == first else call._replace(residual=None) for number, call in enumerate(calls)]
    return Batch(entered, first, log_probabilities(model, states))


def _losses(
    model: PreTrainedModel, batch: Batch, true: Int[Tensor, "continuation"]
) -> tuple[Float[Tensor, ""], bool, Float[Tensor, ""]]:
    """NLL of the planted continuation, whether it is recited, and the mean KL divergence of kept ones."""
    entering = batch.calls[batch.first].residual
    states = states_from(model, batch.calls, batch.first, entering)[:, -len(true) :]
    logits = model.get_output_embeddings()(states[0]).float()
    moved = logits.new_zeros(())
    if len(batch.original):
        moved = token_losses(model, states[1:], divergence, batch.original).mean()
    recited = bool((logits.argmax(dim=-1) == true).all())
    return functional.cross_entropy(logits, true), recited, moved
