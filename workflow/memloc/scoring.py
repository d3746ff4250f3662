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

from memloc.decisions import continuation_states, judge, states_in_parts
from memloc.matching import match_batch
from memloc.micro_batches import in_micro_batches


class Scores(NamedTuple):
    """One value per paragraph, on the CPU."""

    em: Int[Tensor, "paragraph"]
    nll: Float[Tensor, "paragraph"]
    margin: Float[Tensor, "paragraph"]
    redecoded: Bool[Tensor, "paragraph"]


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
    if cache is None:
        states = states_in_parts(model, rows, n_prefix)
    else:
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
    """Exact matches of one micro-batch, of which the doubtful ones are replaced by those of real decoding.

    It goes on only as long as it decodes the true tokens, which are therefore the ones that it continues.
    """
    if not doubtful.any():
        return em
    decoded = match_batch(model, rows[doubtful].to(model.device), n_prefix, DynamicCache(), one_by_one=True)
    em = em.clone()
    em[doubtful] = decoded.em.cpu()
    return em
