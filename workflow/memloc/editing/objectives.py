"""Contrastive objectives: change memorized continuations, keep the others (paper 5.2 and 5.3).

    unlearn:  CO(θ) = -w NLL(memorized; θ) + KL(p(.|controls; θ0) || p(.|controls; θ))        (paper Eq. 3)
    edit:     CO(θ) = +w NLL(edited;    θ) + KL(p(.|controls; θ0) || p(.|controls; θ))        (paper Eq. 4)

θ0 are the original weights, detached; the controls are non-memorized paragraphs.
"""

from typing import Literal, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import PreTrainedModel

from memloc.editing.gradients import collect_gradients, paragraph_nll
from memloc.model.micro_batches import in_micro_batches
from memloc.scoring import losses
from memloc.scoring.teacher_forcing import continuation_states

Objective = Literal["unlearn", "edit"]
SIGN: dict[Objective, float] = {"unlearn": -1.0, "edit": 1.0}


class Pass(NamedTuple):
    """The value of an objective, and what it was computed from."""

    value: float
    states: Float[Tensor, "text continuation width"]
    """Last hidden states that predict the continuations of the targets and then of the controls, detached."""


@torch.no_grad()
def detached_states(
    model: PreTrainedModel, texts: Int[Tensor, "text token"], n_prefix: int, micro_batch: int
) -> Float[Tensor, "text continuation width"]:
    """Last hidden states that predict the continuation, in the micro-batches of `collect_objective`."""
    states = in_micro_batches(
        lambda rows: continuation_states(model, rows.to(model.device), n_prefix), micro_batch, texts
    )
    return torch.cat(states)


def original_log_probabilities(
    model: PreTrainedModel, controls: Int[Tensor, "control token"], n_prefix: int, micro_batch: int
) -> Float[Tensor, "control continuation vocabulary"]:
    """Log-probabilities (nats) of the whole vocabulary, to be taken once while the model is still θ0."""
    return losses.log_probabilities(model, detached_states(model, controls, n_prefix, micro_batch))


def paragraph_kl(
    model: PreTrainedModel,
    states: Float[Tensor, "paragraph continuation width"],
    original: Float[Tensor, "paragraph continuation vocabulary"],
    reference: bool,
) -> Float[Tensor, "paragraph"]:
    """KL(p0 || p) in nats, mean over continuation positions, from last hidden states and log p0.

    `reference` takes the sum over positions, as the authors' code does.
    """
    per_position = losses.token_losses(model, states, losses.divergence, original)
    return per_position.sum(dim=-1) if reference else per_position.mean(dim=-1)


def collect_nll_term(
    model: PreTrainedModel,
    memorized: Int[Tensor, "paragraph token"],
    n_prefix: int,
    micro_batch: int,
    nll_weight: float,
) -> float:
    """Collect the gradient of unlearning's NLL term, summed over paragraphs, in `.grad`; return its value."""
    weights = torch.full((len(memorized),), SIGN["unlearn"] * nll_weight)

    def loss(rows: slice) -> Float[Tensor, "paragraph"]:
        return paragraph_nll(model, memorized[rows], n_prefix)

    return collect_gradients(model, loss, weights, micro_batch)


def collect_kl_term(
    model: PreTrainedModel,
    controls: Int[Tensor, "control token"],
    original: Float[Tensor, "control continuation width"],
    n_prefix: int,
    micro_batch: int,
    *,
    weights: Float[Tensor, "control"],
    reference: bool,
) -> float:
    """Collect the gradient of the weighted sum of KL(p0 || p) over the controls in `.grad`; return its value.

    `original` are the last hidden states of θ0. No embedding and no LayerNorm moves, so p0 can be
    computed from them with each micro-batch instead of being kept for all controls.
    """

    def loss(rows: slice) -> Float[Tensor, "paragraph"]:
        p0 = losses.log_probabilities(model, original[rows])
        states = continuation_states(model, controls[rows].to(model.device), n_prefix)
        return paragraph_kl(model, states, p0, reference)

    return collect_gradients(model, loss, weights, micro_batch)


def collect_objective(
    model: PreTrainedModel,
    target: Int[Tensor, "target token"],
    controls: Int[Tensor, "control token"],
    original: Float[Tensor, "control continuation vocabulary"],
    n_prefix: int,
    micro_batch: int,
    *,
    objective: Literal["unlearn", "edit"],
    nll_weight: float,
    kl_weight: float,
    reference: bool,
) -> Pass:
    """Collect the gradient of the objective at any θ (Eq. 3 or 4) in `.grad`.

    The target of `unlearn` is the memorized paragraph; that of `edit` holds the continuation that should
    become likely, after the prefix from which it should follow. The terms are means over the target
    paragraphs and over the controls, which share micro-batches: where all fit into one, that is one forward
    and one backward pass.
    """
    n = len(target)
    texts = torch.cat([target, controls])
    weights = torch.full((len(texts),), kl_weight / len(controls))
    weights[:n] = SIGN[objective] * nll_weight / n
    seen: list[Float[Tensor, "text continuation width"]] = []

    def loss(rows: slice) -> Float[Tensor, "paragraph"]:
        if rows.start == 0:  # also where a GPU was full, and all is done again
            seen.clear()
        tokens, n_learned = texts[rows].to(model.device), max(0, n - rows.start)
        states, true = continuation_states(model, tokens, n_prefix), tokens[:n_learned, n_prefix:]
        seen.append(states.detach().clone())  # a view would keep the states of the prefix, too
        nll = losses.token_losses(model, states[:n_learned], losses.nll, true).mean(dim=-1)
        p0 = original[max(0, rows.start - n) : max(0, rows.stop - n)]
        return torch.cat([nll, paragraph_kl(model, states[n_learned:], p0, reference)])

    return Pass(collect_gradients(model, loss, weights, micro_batch), torch.cat(seen))
