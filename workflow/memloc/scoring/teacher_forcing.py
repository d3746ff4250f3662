"""Compare a model's logits with the true tokens; run and unembed only what is needed (paper 3.2)."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

# Bytes that are held at a time; on a CPU they stay in its cache from one operation to the next.
LOGITS_BYTES = {"cpu": 2**25, "cuda": 2**28}
ACTIVATION_BYTES = {"cpu": 2**25, "cuda": 2**30}  # of an MLP in single precision: 4 times the model's width


class TokenScores(NamedTuple):
    """Comparison of each true token with the logits."""

    matched: Bool[Tensor, "*token"]  # it has the largest logit
    margin: Float[Tensor, "*token"]  # between the two largest logits
    nll: Float[Tensor, "*token"]  # of the true token, in nats


def continuation_states(
    model: PreTrainedModel,
    tokens: Int[Tensor, "paragraph token"],
    n_prefix: int,
    cache: DynamicCache | None = None,
) -> Float[Tensor, "paragraph continuation width"]:
    """Last hidden states, whose logits predict tokens n_prefix..T-1.

    A `cache` with the keys and values of the first tokens (fewer than n_prefix) spares running these again;
    it is extended.
    """
    n_cached = 0 if cache is None else cache.get_seq_length()
    output = model.base_model(tokens[:, n_cached:-1], cache=cache, use_cache=cache is not None)
    return output.last_hidden_state[:, n_prefix - 1 - n_cached :]


def states_in_parts(
    model: PreTrainedModel, tokens: Int[Tensor, "paragraph token"], n_prefix: int
) -> Float[Tensor, "paragraph continuation width"]:
    """`continuation_states`, run for a few paragraphs at a time."""
    width = model.get_input_embeddings().weight.shape[1]
    n_held = max(1, ACTIVATION_BYTES[model.device.type] // (4 * 4 * width * tokens.shape[1]))
    return torch.cat([continuation_states(model, some, n_prefix) for some in tokens.split(n_held)])


def score_tokens(
    model: PreTrainedModel, states: Float[Tensor, "*token width"], true: Int[Tensor, "*token"]
) -> TokenScores:
    """Unembed last hidden states, and compare the true token's logit with those of all others."""
    return TokenScores(*unembedded(model, states, true, score_logits))


def unembedded(
    model: PreTrainedModel,
    states: Float[Tensor, "*token width"],
    true: Int[Tensor, "*token"],
    statistics: Callable[[Float[Tensor, "token vocabulary"], Int[Tensor, "token"]], tuple[Tensor, ...]],
) -> list[Shaped[Tensor, "*token"]]:
    """`statistics` of the logits of last hidden states, computed for a few tokens at a time.

    Half precision is raised to single. `statistics` may overwrite the logits.
    """
    unembed, n_held = model.get_output_embeddings(), n_logits_held(model)
    batches = zip(states.flatten(0, -2).split(n_held), true.flatten().split(n_held), strict=True)
    parts = [statistics(unembed(some).float(), tokens) for some, tokens in batches]
    return [torch.cat(column).view(true.shape) for column in zip(*parts, strict=True)]


def n_logits_held(model: PreTrainedModel) -> int:
    """Number of tokens whose logits are held at a time."""
    unembed = model.get_output_embeddings()
    return max(1, LOGITS_BYTES[model.device.type] // (4 * unembed.weight.shape[0]))


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


def token_nll(
    logits: Float[Tensor, "*batch vocabulary"], targets: Int[Tensor, "*batch"]
) -> Float[Tensor, "*batch"]:
    """Negative log-likelihood of each target token in nats, -log softmax(logits)[target] (paper 3.2)."""
    target_logits = logits.gather(-1, targets.unsqueeze(-1)).squeeze(-1)
    return logits.logsumexp(dim=-1) - target_logits
