"""Score paragraphs: exact match and NLL (paper 3.2, METHODS M1).

Greedy decoding follows the true continuation until its first mismatch, so one teacher-forced pass gives
the exact match without decoding anything. Only a near-tie between the two largest logits could make
step-by-step decoding, whose matrix products have other shapes, choose differently: paragraphs whose
smallest margin is below a threshold are therefore decoded step by step.

What is computed for a micro-batch depends on its own paragraphs only.
"""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from memloc.decoding import greedy_continuation
from memloc.metrics import exact_match
from memloc.micro_batches import in_micro_batches

# Logits that are held at a time, in bytes: on a CPU they stay in its cache between the passes over them.
LOGITS_BYTES = {"cpu": 2**24, "cuda": 2**28}


class Scores(NamedTuple):
    """One value per paragraph, on the CPU."""

    em: Int[Tensor, "paragraph"]
    nll: Float[Tensor, "paragraph"]
    margin: Float[Tensor, "paragraph"]
    redecoded: Bool[Tensor, "paragraph"]


class Decisions(NamedTuple):
    """What the logits say of each true token."""

    matched: Bool[Tensor, "*token"]  # it has the largest logit
    gap: Float[Tensor, "*token"]  # between the two largest logits
    lead: Float[Tensor, "*token"]  # of its logit over the largest other one, which may be larger
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


def continuation_logits(
    model: PreTrainedModel, tokens: Int[Tensor, "paragraph token"], n_prefix: int
) -> Float[Tensor, "paragraph continuation vocabulary"]:
    """Logits that predict tokens n_prefix..T-1, all held; only these positions are unembedded."""
    return model.get_output_embeddings()(continuation_states(model, tokens, n_prefix)).float()


def judge(
    model: PreTrainedModel, states: Float[Tensor, "*token width"], true: Int[Tensor, "*token"]
) -> Decisions:
    """Unembed last hidden states, and compare the true token's logit with those of all others.

    The logits of a few tokens are held at a time, never all.
    """
    unembed = model.get_output_embeddings()
    n_held = max(1, LOGITS_BYTES[states.device.type] // (4 * unembed.weight.shape[0]))
    batches = zip(states.flatten(0, -2).split(n_held), true.flatten().split(n_held), strict=True)
    parts = [judge_logits(unembed(some).float(), tokens) for some, tokens in batches]
    return Decisions(*(torch.cat(column).view(true.shape) for column in zip(*parts, strict=True)))


def judge_logits(logits: Float[Tensor, "token vocabulary"], true: Int[Tensor, "token"]) -> Decisions:
    """Decisions from the logits, which are overwritten: every pass over them takes time."""
    true = true.unsqueeze(-1)
    true_logit = logits.gather(-1, true)
    best = logits.argmax(dim=-1, keepdim=True)
    top = logits.gather(-1, best)
    logits.scatter_(-1, best, -torch.inf)
    matched, gap = best == true, top - logits.amax(dim=-1, keepdim=True)
    lead = torch.where(matched, gap, true_logit - top)
    others = logits.sub_(top).exp_().sum(dim=-1, keepdim=True)  # sum of exp(logit - top) without the top
    nll = top - true_logit + others.log1p()
    return Decisions(*(column.squeeze(-1) for column in (matched, gap, lead, nll)))


def teacher_forced(
    model: PreTrainedModel, tokens: Int[Tensor, "paragraph token"], n_prefix: int, micro_batch: int
) -> Scores:
    """Exact match, NLL (nats per continuation token) and decision margin from one pass per paragraph.

    The margin is the smallest gap between the two largest logits over the matched tokens and the first
    mismatch. Memory grows with `micro_batch`, not with the number of paragraphs.
    """
    return concatenated(
        in_micro_batches(lambda rows: score_batch(model, rows, n_prefix), micro_batch, tokens)
    )


def score(
    model: PreTrainedModel,
    tokens: Int[Tensor, "paragraph token"],
    n_prefix: int,
    micro_batch: int,
    margin_threshold: float,
) -> Scores:
    """`teacher_forced`, with paragraphs whose margin is below the threshold decoded step by step."""

    def of_rows(rows: Int[Tensor, "paragraph token"]) -> Scores:
        return redecoded(model, rows, score_batch(model, rows, n_prefix), n_prefix, margin_threshold)

    return concatenated(in_micro_batches(of_rows, micro_batch, tokens))


@torch.inference_mode()
def score_batch(
    model: PreTrainedModel,
    rows: Int[Tensor, "paragraph token"],
    n_prefix: int,
    cache: DynamicCache | None = None,
) -> Scores:
    """`teacher_forced` of one micro-batch; `cache` as in `continuation_states`."""
    rows = rows.to(model.device)
    states = continuation_states(model, rows, n_prefix, cache)
    matched, gap, _, nll = judge(model, states, rows[:, n_prefix:])
    em = matched.long().cumprod(dim=-1).sum(dim=-1)
    decided_later = torch.arange(gap.shape[1], device=gap.device) > em.unsqueeze(1)
    margin = gap.masked_fill(decided_later, torch.inf).amin(dim=1)
    return Scores(*(column.cpu() for column in (em, nll.mean(dim=-1), margin, torch.zeros_like(em).bool())))


def concatenated(parts: Iterable[Scores]) -> Scores:
    """The scores of several batches of paragraphs as one."""
    return Scores(*(torch.cat(column) for column in zip(*parts, strict=True)))


def redecoded(
    model: PreTrainedModel,
    rows: Int[Tensor, "paragraph token"],
    scores: Scores,
    n_prefix: int,
    margin_threshold: float,
) -> Scores:
    """Scores of one micro-batch in which near-ties (margin below the threshold) are decoded step by step."""
    doubtful = scores.margin < margin_threshold
    em = redecode(model, rows, scores.em, doubtful, n_prefix)
    return scores._replace(em=em, redecoded=doubtful)


def redecode(
    model: PreTrainedModel,
    rows: Int[Tensor, "paragraph token"],
    em: Int[Tensor, "paragraph"],
    doubtful: Bool[Tensor, "paragraph"],
    n_prefix: int,
) -> Int[Tensor, "paragraph"]:
    """Exact matches of one micro-batch, of which the doubtful ones are replaced by those of real decoding."""
    if not doubtful.any():
        return em
    rows, em = rows[doubtful], em.clone()
    decoded = greedy_continuation(model, rows[:, :n_prefix], rows.shape[1] - n_prefix, len(rows))
    em[doubtful] = exact_match(decoded, rows[:, n_prefix:])
    return em
