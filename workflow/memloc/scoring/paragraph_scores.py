"""Score paragraphs: exact match and NLL (paper 3.2).

Greedy decoding follows the true continuation until its first mismatch, so one teacher-forced pass gives the
exact match without decoding anything. Step-by-step decoding multiplies matrices of other shapes, and rounding
could decide a near-tie of the two largest logits otherwise. Tokens whose margin is below a threshold are
therefore decided again by decoding step by step. The scores of a micro-batch depend on its own paragraphs
only.
"""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from memloc.model.micro_batches import in_micro_batches
from memloc.scoring.teacher_forcing import (
    TokenScores,
    continuation_states,
    decided_margins,
    leading_matches,
    score_tokens,
    states_in_parts,
)
from memloc.settings.scores import Scoring


class Scores(NamedTuple):
    """Scores of each paragraph, on the CPU."""

    em: Int[Tensor, "paragraph"]
    nll: Float[Tensor, "paragraph"]
    margins: Float[Tensor, "paragraph continuation"]  # logits, as in `decided_margins`
    redecoded: Bool[Tensor, "paragraph"]

    @property
    def margin(self) -> Float[Tensor, "paragraph"]:
        """The smallest of the margins, which reach up to the first mismatch."""
        return self.margins.amin(dim=1)


def teacher_forced(
    model: PreTrainedModel, tokens: Int[Tensor, "paragraph token"], n_prefix: int, micro_batch: int
) -> Scores:
    """Exact match, NLL (nats per continuation token) and decision margins from one pass per paragraph.

    Memory grows with `micro_batch`, not with the number of paragraphs.
    """
    return concatenated(
        in_micro_batches(lambda rows: score_batch(model, rows, n_prefix), micro_batch, tokens)
    )


def score(
    model: PreTrainedModel,
    tokens: Int[Tensor, "paragraph token"],
    n_prefix: int,
    scoring: Scoring,
) -> Scores:
    """The scores of `teacher_forced`; tokens with a margin below the threshold are decided by decoding."""

    def of_rows(rows: Int[Tensor, "paragraph token"]) -> Scores:
        return redecoded(model, rows, score_batch(model, rows, n_prefix), n_prefix, scoring)

    return concatenated(in_micro_batches(of_rows, scoring.micro_batch, tokens))


@torch.inference_mode()
def score_batch(
    model: PreTrainedModel,
    rows: Int[Tensor, "paragraph token"],
    n_prefix: int,
    cache: DynamicCache | None = None,
) -> Scores:
    """The scores of `teacher_forced` for one micro-batch; `cache` as in `continuation_states`."""
    rows = rows.to(model.device)
    if cache is None:
        states = states_in_parts(model, rows, n_prefix)
    else:
        states = continuation_states(model, rows, n_prefix, cache)
    return scores_of_states(model, states, rows[:, n_prefix:])


def scores_of_states(
    model: PreTrainedModel,
    states: Float[Tensor, "paragraph continuation width"],
    true: Int[Tensor, "paragraph continuation"],
) -> Scores:
    """Scores of one micro-batch from the last hidden states that predict its continuations."""
    return scores_of(score_tokens(model, states, true))


def scores_of(tokens: TokenScores) -> Scores:
    """Scores of one micro-batch from the token scores of its continuations."""
    matched, margin, nll = tokens
    em = leading_matches(matched)
    found = (em, nll.mean(dim=-1), decided_margins(margin, em), torch.zeros_like(em).bool())
    return Scores(*(column.cpu() for column in found))


def concatenated(parts: Iterable[Scores]) -> Scores:
    """The scores of several batches of paragraphs as one."""
    return Scores(*(torch.cat(column) for column in zip(*parts, strict=True)))


def redecoded(
    model: PreTrainedModel,
    rows: Int[Tensor, "paragraph token"],
    scores: Scores,
    n_prefix: int,
    scoring: Scoring,
) -> Scores:
    """Scores of one micro-batch; near-ties (margins below the threshold) are decoded step by step."""
    near = scores.margins < scoring.margin_threshold
    doubtful = near.any(dim=1)
    em = scores.em.clone()
    if doubtful.any():
        some = (column[doubtful].to(model.device) for column in (rows, em, near))
        em[doubtful] = decode_near_ties(model, *some, n_prefix).cpu()
    return scores._replace(em=em, redecoded=doubtful)


@torch.inference_mode()
def decode_near_ties(
    model: PreTrainedModel,
    rows: Int[Tensor, "paragraph token"],
    em: Int[Tensor, "paragraph"],
    doubtful: Bool[Tensor, "paragraph continuation"],
    n_prefix: int,
) -> Int[Tensor, "paragraph"]:
    """Exact match (tokens), with doubtful tokens decided again by decoding a token at a time.

    Decoding stops at its first mismatch, so it always continues the true tokens. It ends after a paragraph's
    last doubtful token. If that token was the mismatch and now matches, decoding goes on to the first
    mismatch. Only tokens to be decided are unembedded. `doubtful` tokens lie before or at the first mismatch.
    """
    token = torch.arange(doubtful.shape[1], device=doubtful.device)
    mismatch = token == em.unsqueeze(1)
    open_end = (doubtful & mismatch).any(dim=1)
    undecided = doubtful | (open_end.unsqueeze(1) & (token > em.unsqueeze(1)))
    em = em.where(~open_end, doubtful.shape[1])
    going, cache = undecided.any(dim=1).nonzero().squeeze(1), DynamicCache()
    for at in range(doubtful.shape[1]):
        if not len(going):
            break
        text, asked = rows[going, : n_prefix + at + 1], undecided[going, at]
        states = continuation_states(model, text, n_prefix + at, cache)[asked]
        differs = torch.zeros_like(asked)
        if asked.any():
            differs[asked] = ~score_tokens(model, states, text[asked, -1:]).matched.squeeze(1)
        em[going[differs]] = at
        stays = (~differs & undecided[going, at + 1 :].any(dim=1)).nonzero().squeeze(1)
        if len(stays) < len(going):
            cache.batch_select_indices(stays)
            going = going[stays]
    return em
