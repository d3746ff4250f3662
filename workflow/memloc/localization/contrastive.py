"""Contrastive objectives: change memorized continuations, keep the others (paper 5.2 and 5.3).

    unlearn:  CO(θ) = -w NLL(memorized; θ) + KL(p(.|controls; θ0) || p(.|controls; θ))        (paper Eq. 3)
    edit:     CO(θ) = +w NLL(edited;    θ) + KL(p(.|controls; θ0) || p(.|controls; θ))        (paper Eq. 4)

θ0 are the original weights, detached; the controls are non-memorized paragraphs. At θ = θ0 the KL divergence
has its minimum, and its gradient is zero: the objective's gradient is that of its NLL term, -w times the
memorized paragraphs' gradient, and adds nothing to it. After one step down the objective both terms count,
and the gradient is taken there.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import PreTrainedModel

from memloc.data.controls import draw_controls
from memloc.data.draws import Draws
from memloc.localization.gradient_parts import Sums
from memloc.localization.gradients import (
    Gradients,
    add_gradients,
    collect_gradients,
    editable_gradients,
    paragraph_nll,
    take_gradients,
)
from memloc.localization.optimisers import SparseAdam
from memloc.localization.parameter_gradients import group_scores
from memloc.localization.weights import OriginalWeights, all_weights, at_places
from memloc.model.components import Component, component_table
from memloc.model.micro_batches import in_micro_batches
from memloc.scoring import losses
from memloc.scoring.teacher_forcing import continuation_states
from memloc.settings.contrastive import Contrastive

SIGN = {"unlearn": -1.0, "edit": 1.0}


class Pass(NamedTuple):
    """The value of an objective, and what it was computed from."""

    value: float
    states: Float[Tensor, "text continuation width"]
    """Last hidden states that predict the continuations of the targets and then of the controls, detached."""


class ContrastiveGradients(NamedTuple):
    """The objective, mean over memorized paragraphs, and the gradient of each of its two terms."""

    value: float
    nll_term: Gradients
    kl_term: Gradients


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


def contrastive_attribution(
    model: PreTrainedModel,
    memorized: Int[Tensor, "memorized token"],
    non_memorized: Int[Tensor, "non_memorized token"],
    nll_gradient: Gradients,
    n_prefix: int,
    parts: Sequence[Int[np.ndarray, "member"]],
    draws: Draws,
    rng: np.random.Generator,
    how: Contrastive,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Component scores of the unlearning objective after one step down it (paper 5.2, Figure 4 bottom).

    `nll_gradient` is the memorized paragraphs' mean gradient at θ0; -w times it is the objective's gradient
    there, along which the first step of Adam moves every W_* weight. The weights are restored bit for bit.
    Each memorized paragraph has its own random controls.

    Returns:
        Scores (`contrastive_scores`), and those of every sample of `draws` from the memorized paragraphs'
        `parts` (`Sums.largest`), of which each has the KL term of all.

    Raises:
        ValueError: there are fewer non-memorized paragraphs than controls of each.
    """
    drawn = draw_controls(len(memorized), len(non_memorized), how.n_controls, rng)
    chosen, n_draws = np.unique(drawn, return_counts=True)
    controls, sums = non_memorized[torch.from_numpy(chosen)], Sums(model, len(parts) + 1)
    original = detached_states(model, controls, n_prefix, how.micro_batch)
    weights = OriginalWeights(model)
    take_step(model, nll_gradient, how.nll_weight, how.learning_rate)
    try:
        terms = contrastive_gradients(
            model,
            memorized,
            controls,
            original,
            n_draws / drawn.size,
            n_prefix,
            how.micro_batch,
            parts=parts,
            sums=sums,
            nll_weight=how.nll_weight,
            reference=how.reference,
        )
    finally:
        weights.restore(model)
    return contrastive_scores(model, terms), sums.largest(_with_kl_term(draws), "contrastive")


def take_step(
    model: PreTrainedModel, nll_gradient: Gradients, nll_weight: float, learning_rate: float
) -> None:
    """The first step of Adam down the unlearning objective, with all W_* weights (arm `all` of edits)."""
    gradients = {name: SIGN["unlearn"] * nll_weight * value for name, value in nll_gradient.items()}
    movable = all_weights(model)
    SparseAdam(model, movable, learning_rate).step(at_places(gradients, movable))


def contrastive_gradients(
    model: PreTrainedModel,
    memorized: Int[Tensor, "memorized token"],
    controls: Int[Tensor, "control token"],
    original: Float[Tensor, "control continuation width"],
    shares: Float[np.ndarray, "control"],
    n_prefix: int,
    micro_batch: int,
    *,
    parts: Sequence[Int[np.ndarray, "member"]],
    sums: Sums,
    nll_weight: float,
    reference: bool,
) -> ContrastiveGradients:
    """Value and gradient of the unlearning objective at any θ, mean over memorized paragraphs (paper Eq. 3).

    `shares` sum up to one: how much each control's KL counts. Because gradients add up, a control that was
    drawn for several paragraphs is run once. `sums` gets the gradient of the NLL term for every part of the
    memorized paragraphs, and in its last row that of the KL term.
    """
    n, nll_term, value = len(memorized), {}, 0.0
    with editable_gradients(model):
        for row, members in enumerate(parts):
            part = memorized[torch.from_numpy(members)]
            value += collect_nll_term(model, part, n_prefix, micro_batch, nll_weight) / n
            found = take_gradients(model)
            sums.put(row, found)
            add_gradients(nll_term, found)
        weights = torch.from_numpy(shares).float()
        value += collect_kl_term(
            model, controls, original, n_prefix, micro_batch, weights=weights, reference=reference
        )
        kl_term = take_gradients(model)
    sums.put(len(parts), kl_term)
    return ContrastiveGradients(value, {name: term / n for name, term in nll_term.items()}, kl_term)


def contrastive_scores(model: PreTrainedModel, gradients: ContrastiveGradients) -> pd.DataFrame:
    """Component scores of the contrastive objective with the norms of its two terms.

    Returns the rows of `component_scores` with group "contrastive" as first column and, for every
    component and head, nll_term_norm and kl_term_norm: the Euclidean norm of each term's gradient (norms
    of the whole gradient are the root of their summed squares).
    """
    total = {name: gradients.nll_term[name] + gradients.kl_term[name] for name in gradients.nll_term}

    def norms(component: Component) -> dict[str, Float[Tensor, "head"]]:
        nll, kl = (
            component.by_head(term[component.parameter]) for term in (gradients.nll_term, gradients.kl_term)
        )
        return {"nll_term_norm": nll.norm(dim=1), "kl_term_norm": kl.norm(dim=1)}

    scores = group_scores(model, total, "contrastive")
    return scores.join(component_table(model, norms)[["nll_term_norm", "kl_term_norm"]])


def _with_kl_term(draws: Draws) -> Draws:
    """The same draws of parts, each with the whole KL term, which is in a row after the parts."""
    kl = np.ones((len(draws.weights), 1))
    return Draws(draws.keys, np.concatenate([draws.weights, kl], axis=1))
