"""Compare a model's logits with the true tokens (paper 3.2)."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from memloc.model.subject import Subject


class TokenScores(NamedTuple):
    """Comparison of each true token with the logits."""

    matched: Bool[Tensor, "*token"]  # it has the largest logit
    margin: Float[Tensor, "*token"]  # between the two largest logits
    nll: Float[Tensor, "*token"]  # of the true token, in nats


def score_tokens(
    subject: Subject, states: Float[Tensor, "*token width"], true: Int[Tensor, "*token"]
) -> TokenScores:
    """Unembed last hidden states, and compare the true token's logit with those of all others."""
    return TokenScores(*subject.unembedded(states, true, score_logits))


def score_logits(logits: Float[Tensor, "token vocabulary"], true: Int[Tensor, "token"]) -> TokenScores:
    """Scores of the true tokens from the logits, which are overwritten: every pass over them takes time."""
    true = true.unsqueeze(-1)
    true_logit = logits.gather(-1, true)
    best = logits.argmax(dim=-1, keepdim=True)
    top = logits.gather(-1, best)
    logits.scatter_(-1, best, -torch.inf)
    matched, margin = best == true, top - logits.amax(dim=-1, keepdim=True)
    others = logits.sub_(top).exp_().sum(dim=-1, keepdim=True)  # sum of exp(logit - top) without the top
    nll = top - true_logit + others.log1p()
    return TokenScores(*(column.squeeze(-1) for column in (matched, margin, nll)))


def leading_matches(matched: Bool[Tensor, "paragraph token"]) -> Int[Tensor, "paragraph"]:
    """Exact match (tokens) of paragraphs, given which of their tokens match (paper 3.2)."""
    return matched.long().cumprod(dim=-1).sum(dim=-1)


def decided_margins(
    margin: Float[Tensor, "paragraph token"], em: Int[Tensor, "paragraph"]
) -> Float[Tensor, "paragraph token"]:
    """Margins (logits) between the two largest logits up to the first mismatch, and inf after it."""
    return margin.where(torch.arange(margin.shape[1], device=margin.device) <= em.unsqueeze(1), torch.inf)
