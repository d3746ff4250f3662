"""Exact match and negative log-likelihood of continuations (paper 3.2)."""

from jaxtyping import Bool, Float, Int
from torch import Tensor


def exact_match(
    predicted: Int[Tensor, "paragraph token"], true: Int[Tensor, "paragraph token"]
) -> Int[Tensor, "paragraph"]:
    """Tokens that match from the left before the first mismatch (paper 3.2), 0..n_tokens."""
    return leading_matches(predicted == true)


def leading_matches(matched: Bool[Tensor, "paragraph token"]) -> Int[Tensor, "paragraph"]:
    """Exact match (tokens) of paragraphs, given which of their tokens match (paper 3.2)."""
    return matched.long().cumprod(dim=-1).sum(dim=-1)


def token_nll(
    logits: Float[Tensor, "*batch vocabulary"], targets: Int[Tensor, "*batch"]
) -> Float[Tensor, "*batch"]:
    """Negative log-likelihood of each target token in nats, -log softmax(logits)[target] (paper 3.2)."""
    target_logits = logits.gather(-1, targets.unsqueeze(-1)).squeeze(-1)
    return logits.logsumexp(dim=-1) - target_logits
