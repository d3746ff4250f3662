"""Score paragraphs: exact match, NLL and greedy continuations (paper 3.2, METHODS M1).

Greedy decoding follows the true continuation until its first mismatch, so one teacher-forced pass gives
the exact match without decoding anything. Only a near-tie between the two largest logits could make
step-by-step decoding, whose matrix products have other shapes, choose differently: paragraphs whose
smallest margin is below a threshold are therefore decoded step by step.
"""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from memloc.metrics import exact_match, token_nll


class Scores(NamedTuple):
    """One value per paragraph, on the CPU."""

    em: Int[Tensor, "paragraph"]
    nll: Float[Tensor, "paragraph"]
    margin: Float[Tensor, "paragraph"]
    redecoded: Bool[Tensor, "paragraph"]


def continuation_logits(
    model: PreTrainedModel,
    tokens: Int[Tensor, "paragraph token"],
    n_prefix: int,
    cache: DynamicCache | None = None,
) -> Float[Tensor, "paragraph continuation vocabulary"]:
    """Logits that predict tokens n_prefix..T-1; only these positions are unembedded.

    A `cache` with the keys and values of the first tokens (fewer than n_prefix) spares running these again;
    it is extended.
    """
    n_cached = 0 if cache is None else cache.get_seq_length()
    output = model.base_model(tokens[:, n_cached:-1], cache=cache, use_cache=cache is not None)
    return model.get_output_embeddings()(output.last_hidden_state[:, n_prefix - 1 - n_cached :]).float()


def decision_margin(
    logits: Float[Tensor, "paragraph continuation vocabulary"], em: Int[Tensor, "paragraph"]
) -> Float[Tensor, "paragraph"]:
    """Smallest gap between the two largest logits over the matched tokens and the first mismatch."""
    top = logits.topk(2, dim=-1).values
    gap = top[..., 0] - top[..., 1]
    decided_later = torch.arange(gap.shape[1], device=gap.device) > em.unsqueeze(1)
    return gap.masked_fill(decided_later, torch.inf).amin(dim=1)


@torch.inference_mode()
def teacher_forced(
    model: PreTrainedModel, tokens: Int[Tensor, "paragraph token"], n_prefix: int, micro_batch: int
) -> Scores:
    """Exact match, NLL (nats per continuation token) and decision margin from one pass per paragraph.

    Memory grows with `micro_batch`, not with the number of paragraphs.
    """
    batches = (rows.to(model.device) for rows in tokens.split(micro_batch))
    return concatenated(
        scores_of_logits(continuation_logits(model, rows, n_prefix), rows[:, n_prefix:]) for rows in batches
    )


def scores_of_logits(
    logits: Float[Tensor, "paragraph continuation vocabulary"], true: Int[Tensor, "paragraph continuation"]
) -> Scores:
    """Scores of the true continuation, given the logits that predict it."""
    em = exact_match(logits.argmax(dim=-1), true)
    nll = token_nll(logits, true).mean(dim=-1)
    redecoded = torch.zeros_like(em, dtype=torch.bool)
    return Scores(*(column.cpu() for column in (em, nll, decision_margin(logits, em), redecoded)))


def concatenated(parts: Iterable[Scores]) -> Scores:
    """The scores of several batches of paragraphs as one."""
    return Scores(*(torch.cat(column) for column in zip(*parts, strict=True)))


def score(
    model: PreTrainedModel,
    tokens: Int[Tensor, "paragraph token"],
    n_prefix: int,
    micro_batch: int,
    margin_threshold: float,
) -> Scores:
    """`teacher_forced`, with paragraphs whose margin is below the threshold decoded step by step."""
    scores = teacher_forced(model, tokens, n_prefix, micro_batch)
    return redecode(model, tokens, scores, n_prefix, micro_batch, margin_threshold)


def redecode(
    model: PreTrainedModel,
    tokens: Int[Tensor, "paragraph token"],
    scores: Scores,
    n_prefix: int,
    micro_batch: int,
    margin_threshold: float,
) -> Scores:
    """Scores in which the exact match of near-ties (margin below the threshold) is that of real decoding."""
    doubtful = scores.margin < margin_threshold
    if not doubtful.any():
        return scores
    rows = tokens[doubtful]
    decoded = greedy_continuation(model, rows[:, :n_prefix], rows.shape[1] - n_prefix, micro_batch)
    em = scores.em.clone()
    em[doubtful] = exact_match(decoded, rows[:, n_prefix:])
    return scores._replace(em=em, redecoded=doubtful)


@torch.inference_mode()
def greedy_continuation(
    model: PreTrainedModel,
    prefix: Int[Tensor, "paragraph prefix"],
    n_tokens: int,
    micro_batch: int,
) -> Int[Tensor, "paragraph continuation"]:
    """Decode `n_tokens` tokens greedily, step by step; no token is banned and none ends the decoding."""
    return torch.cat(
        [_decode(model, rows.to(model.device), n_tokens).cpu() for rows in prefix.split(micro_batch)]
    )


def _decode(
    model: PreTrainedModel, context: Int[Tensor, "paragraph context"], n_tokens: int
) -> Int[Tensor, "paragraph continuation"]:
    decoded, cache, step = [], DynamicCache(config=model.config), context
    for _ in range(n_tokens):
        output = model.base_model(step, cache=cache, use_cache=True)
        logits = model.get_output_embeddings()(output.last_hidden_state[:, -1]).float()
        step = logits.argmax(dim=-1, keepdim=True)
        decoded.append(step)
    return torch.cat(decoded, dim=1)


@torch.inference_mode()
def continue_from_scores(
    model: PreTrainedModel,
    tokens: Int[Tensor, "paragraph token"],
    em: Int[Tensor, "paragraph"],
    n_prefix: int,
    micro_batch: int,
) -> Int[Tensor, "paragraph continuation"]:
    """Greedy continuations of paragraphs whose exact match is known: decode from the first mismatch on.

    The first `em` tokens of the continuation are the true ones; where all are, nothing is decoded. Paragraphs
    are decoded in the order of their exact match, so that those of one micro-batch share as long a known
    context as possible.
    """
    continuation = tokens[:, n_prefix:].clone()
    order = em.argsort(stable=True)
    order = order[em[order] < continuation.shape[1]]
    if len(order) == 0:
        return continuation
    for batch in order.split(micro_batch):
        known = int(em[batch].min())
        context = tokens[batch, : n_prefix + known].to(model.device)
        continuation[batch, known:] = _decode(model, context, continuation.shape[1] - known).cpu()
    return continuation
