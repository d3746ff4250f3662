"""Contrastive objectives: change memorized continuations, keep the others (paper 5.2 and 5.3, METHODS M5).

    unlearn:  CO(θ) = -w NLL(memorized; θ) + KL(p(.|controls; θ0) || p(.|controls; θ))        (paper Eq. 3)
    edit:     CO(θ) = +w NLL(edited;    θ) + KL(p(.|controls; θ0) || p(.|controls; θ))        (paper Eq. 4)

θ0 are the original weights, detached; the controls are non-memorized paragraphs. At θ = θ0 the KL
divergence has its minimum, so its gradient is exactly zero in theory and rounding noise in practice: the
contrastive scores then come from the NLL term alone. The norm of each term's gradient makes that visible.
"""

from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import PreTrainedModel

from memloc import losses
from memloc.components import Component, component_table
from memloc.decisions import continuation_states
from memloc.errors import InputError
from memloc.gradients import (
    Gradients,
    collect_gradients,
    editable_gradients,
    paragraph_nll,
    take_gradients,
)
from memloc.micro_batches import in_micro_batches
from memloc.parameter_gradients import group_scores

SIGN = {"unlearn": -1.0, "edit": 1.0}


class ContrastiveGradients(NamedTuple):
    """The objective summed over memorized paragraphs, and the gradient of each of its two terms."""

    value: float
    nll_term: Gradients
    kl_term: Gradients


@torch.no_grad()
def original_log_probabilities(
    model: PreTrainedModel, controls: Int[Tensor, "control token"], n_prefix: int, micro_batch: int
) -> Float[Tensor, "control continuation vocabulary"]:
    """Log-probabilities (nats) of the whole vocabulary, to be taken once while the model still is θ0."""
    states = in_micro_batches(
        lambda rows: continuation_states(model, rows.to(model.device), n_prefix), micro_batch, controls
    )
    return losses.log_probabilities(model, torch.cat(states))


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
    target: Int[Tensor, "paragraph token"],
    n_prefix: int,
    micro_batch: int,
    *,
    objective: Literal["unlearn", "edit"],
    nll_weight: float,
) -> float:
    """Collect the gradient of the NLL term, summed over the target paragraphs, in `.grad`; return its value.

    The target of `unlearn` is the memorized paragraph; that of `edit` holds the continuation that should
    become likely, after the prefix from which it should follow.
    """
    weights = torch.full((len(target),), SIGN[objective] * nll_weight)

    def loss(rows: slice) -> Float[Tensor, "paragraph"]:
        return paragraph_nll(model, target[rows], n_prefix)

    return collect_gradients(model, loss, weights, micro_batch)


def collect_kl_term(
    model: PreTrainedModel,
    controls: Int[Tensor, "control token"],
    n_prefix: int,
    micro_batch: int,
    *,
    weights: Float[Tensor, "control"],
    reference: bool,
) -> float:
    """Collect the gradient of the weighted sum of KL(p0 || p) over the controls in `.grad`; return its value.

    The model is θ0: p0 is taken with each micro-batch instead of being kept for all controls.
    """

    def loss(rows: slice) -> Float[Tensor, "paragraph"]:
        p0 = original_log_probabilities(model, controls[rows], n_prefix, micro_batch)
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
) -> float:
    """Collect the gradient of the objective at any θ (Eq. 3 or 4) in `.grad`; return its value.

    The terms are means over the target paragraphs and over the controls, which share micro-batches: where
    all fit into one, that is one forward and one backward pass.
    """
    n = len(target)
    texts = torch.cat([target, controls])
    weights = torch.full((len(texts),), kl_weight / len(controls))
    weights[:n] = SIGN[objective] * nll_weight / n

    def loss(rows: slice) -> Float[Tensor, "paragraph"]:
        tokens, n_learned = texts[rows].to(model.device), max(0, n - rows.start)
        states, true = continuation_states(model, tokens, n_prefix), tokens[:n_learned, n_prefix:]
        nll = losses.token_losses(model, states[:n_learned], losses.nll, true).mean(dim=-1)
        p0 = original[max(0, rows.start - n) : max(0, rows.stop - n)]
        return torch.cat([nll, paragraph_kl(model, states[n_learned:], p0, reference)])

    return collect_gradients(model, loss, weights, micro_batch)


def draw_controls(
    n_paragraphs: int, n_available: int, n_controls: int, rng: np.random.Generator
) -> Int[np.ndarray, "paragraph control"]:
    """Indices of `n_controls` different non-memorized paragraphs for each memorized one.

    Raises:
        ValueError: there are fewer than `n_controls` non-memorized paragraphs.
    """
    if n_controls > n_available:
        raise InputError(
            f"{n_controls} controls asked for, but only {n_available} non-memorized paragraphs to draw from"
        )
    available = np.tile(np.arange(n_available), (n_paragraphs, 1))
    return rng.permuted(available, axis=1)[:, :n_controls]


def contrastive_gradients(
    model: PreTrainedModel,
    memorized: Int[Tensor, "memorized token"],
    non_memorized: Int[Tensor, "non_memorized token"],
    drawn: Int[np.ndarray, "memorized control"],
    n_prefix: int,
    micro_batch: int,
    *,
    nll_weight: float,
    reference: bool,
) -> ContrastiveGradients:
    """Value and gradient of the unlearning objective at θ0, summed over memorized paragraphs (paper Eq. 3).

    Paragraph n is contrasted with the mean KL of the non-memorized paragraphs drawn[n]. Because gradients
    add up, a paragraph drawn several times is run once, with a weight.
    """
    n_controls = drawn.shape[1]
    controls, n_draws = np.unique(drawn, return_counts=True)
    weights = torch.from_numpy(n_draws / n_controls).float()
    with editable_gradients(model):
        nll = collect_nll_term(
            model, memorized, n_prefix, micro_batch, objective="unlearn", nll_weight=nll_weight
        )
        nll_term = take_gradients(model)
        kl = collect_kl_term(
            model, non_memorized[controls], n_prefix, micro_batch, weights=weights, reference=reference
        )
        kl_term = take_gradients(model)
    return ContrastiveGradients(nll + kl, nll_term, kl_term)


def contrastive_scores(model: PreTrainedModel, gradients: ContrastiveGradients) -> pd.DataFrame:
    """Component scores of the contrastive objective (Figure 4 bottom) with the norms of its two terms.

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


def contrastive_attribution(
    model: PreTrainedModel,
    memorized: Int[Tensor, "memorized token"],
    non_memorized: Int[Tensor, "non_memorized token"],
    n_prefix: int,
    rng: np.random.Generator,
    *,
    n_controls: int,
    micro_batch: int,
    nll_weight: float,
    reference: bool,
) -> pd.DataFrame:
    """`contrastive_scores` of memorized paragraphs, each against its own random draw of controls (paper 5.2).

    Raises:
        ValueError: there are fewer than `n_controls` non-memorized paragraphs.
    """
    drawn = draw_controls(len(memorized), len(non_memorized), n_controls, rng)
    gradients = contrastive_gradients(
        model,
        memorized,
        non_memorized,
        drawn,
        n_prefix,
        micro_batch,
        nll_weight=nll_weight,
        reference=reference,
    )
    return contrastive_scores(model, gradients)
