"""Losses of continuation tokens, without ever holding the logits of all of them (paper 5.1 to 5.3).

A vocabulary is wider than everything else in a model: logits, their logarithms and their gradients take
gigabytes for a few paragraphs. The gradients of the losses with respect to logits are known in closed form.
The gradients with respect to the last hidden states are therefore computed together with the losses, a few
tokens at a time, and backward passes start from there. With softmax p of the logits:

    NLL of the true token t         -log p[t]                    gradient p - onehot(t)
    KL(p0 || p)                     sum p0 (log p0 - log p)      gradient p - p0
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from memloc.model.subject import Subject, Tokens

Sloped = tuple[Float[Tensor, "token"], Float[Tensor, "token vocabulary"]]
"""Losses of tokens, and their gradients with respect to logits."""


def nll(logits: Float[Tensor, "token vocabulary"], true: Int[Tensor, "token"]) -> Sloped:
    """NLL of the true tokens in nats, -log softmax(logits)[true] (paper 3.2)."""
    log_p = logits.log_softmax(dim=-1)
    losses = -log_p.gather(-1, true.unsqueeze(-1)).squeeze(-1)
    slopes = log_p.exp_()
    slopes[torch.arange(len(true), device=true.device), true] -= 1
    return losses, slopes


def divergence(
    logits: Float[Tensor, "token vocabulary"], original: Float[Tensor, "token vocabulary"]
) -> Sloped:
    """KL(p0 || p) in nats, given the log-probabilities of p0 (paper 5.2)."""
    log_p, p0 = logits.log_softmax(dim=-1), original.exp()
    losses = (original - log_p).mul_(p0).sum(dim=-1)
    return losses, log_p.exp_().sub_(p0)


def token_losses(
    subject: Subject,
    states: Float[Tensor, "*token width"],
    loss: Callable[[Tensor, Tensor], Sloped],
    targets: Shaped[Tensor, "..."],
) -> Float[Tensor, "*token"]:
    """`loss` (`nll` or `divergence`, in nats) of last hidden states, differentiable with respect to them.

    Half precision is raised to single. The unembedding gets no gradient.
    """
    unembed, n_held, found = subject.model.get_output_embeddings(), subject.n_logits_held, []
    rows = states.detach().flatten(0, -2).split(n_held), targets.flatten(0, states.dim() - 2).split(n_held)
    for some, their in zip(*rows, strict=True):
        with torch.enable_grad():
            logits = unembed(some.requires_grad_())
        losses, slopes = loss(logits.detach().float(), their)
        found.append((losses, *torch.autograd.grad(logits, some, slopes.to(logits.dtype))))
    losses, slopes = (torch.cat(column) for column in zip(*found, strict=True))
    # Zero, whose gradient with respect to the states is that of the losses.
    zero = ((states - states.detach()) * slopes.view_as(states)).sum(dim=-1)
    return losses.view(states.shape[:-1]) + zero


def paragraph_nll(subject: Subject, tokens: Tokens) -> Float[Tensor, "paragraph"]:
    """Mean NLL of each paragraph's continuation, in nats per token (paper 3.2), differentiable."""
    tokens = tokens.to(subject.device)
    return token_losses(subject, subject.states(tokens), nll, tokens[:, subject.n_prefix :]).mean(dim=-1)


@torch.no_grad()
def log_probabilities(
    subject: Subject, states: Float[Tensor, "*token width"]
) -> Float[Tensor, "*token vocabulary"]:
    """Log-probabilities (nats) of the whole vocabulary after last hidden states, in single precision."""
    some = states.detach().flatten(0, -2).split(subject.n_logits_held)
    found = torch.cat([subject.logits(each).float().log_softmax(dim=-1) for each in some])
    return found.unflatten(0, states.shape[:-1])
