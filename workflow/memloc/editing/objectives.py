"""Contrastive objectives: change memorized continuations, keep the others (paper 5.2 and 5.3).

    unlearn:  CO(θ) = -w NLL(memorized; θ) + k KL(p(.|controls; θ0) || p(.|controls; θ))      (paper Eq. 3)
    edit:     CO(θ) = +w NLL(edited;    θ) + k KL(p(.|controls; θ0) || p(.|controls; θ))      (paper Eq. 4)

θ0 are the original weights, detached; the controls are non-memorized paragraphs. An edited paragraph is a
prefix with the continuation that should become likely after it.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from memloc.editing.gradients import collect_gradients
from memloc.model.subject import Subject, Tokens
from memloc.scoring import losses

Objective = Literal["unlearn", "edit"]
SIGN: dict[Objective, float] = {"unlearn": -1.0, "edit": 1.0}


class Terms(NamedTuple):
    """The texts of an objective's two terms."""

    learned: Tokens
    controls: Int[Tensor, "control token"]
    original: Callable[[slice], Float[Tensor, "some continuation vocabulary"]]
    """Log-probabilities (nats) of some of the controls under θ0."""


@torch.no_grad()
def original_states(
    subject: Subject, controls: Int[Tensor, "control token"]
) -> Float[Tensor, "control continuation width"]:
    """Last hidden states that predict the continuations; the model must have its original weights."""
    return torch.cat(subject.in_batches(subject.states, controls))


def collect_objective(
    subject: Subject, terms: Terms, weights: Float[Tensor, "text"], reference: bool
) -> None:
    """Collect the gradient of an objective at any θ in `.grad`.

    The objective is a weighted sum over texts. A learned paragraph adds its mean NLL per token, a control its
    mean KL(p0 || p) per token, or with `reference` the sum over tokens, as in the authors' code. There may be
    texts of one kind only. Both kinds share micro-batches, so few texts take one forward and backward pass.
    """
    n, texts = len(terms.learned), torch.cat([terms.learned, terms.controls])

    def loss(rows: slice) -> Float[Tensor, "paragraph"]:
        tokens = texts[rows].to(subject.device)
        n_learned, first = max(0, n - rows.start), max(0, rows.start - n)
        learned, controls = subject.states(tokens).tensor_split([n_learned])
        nll = losses.token_losses(subject, learned, losses.nll, tokens[:n_learned, subject.n_prefix :])
        p0 = terms.original(slice(first, first + len(controls)))
        kl = losses.token_losses(subject, controls, losses.divergence, p0)
        return torch.cat([nll.mean(dim=-1), kl.sum(dim=-1) if reference else kl.mean(dim=-1)])

    collect_gradients(subject, loss, weights)
