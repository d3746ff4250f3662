"""Score paragraphs: exact match and NLL (paper 3.2).

Greedy decoding follows the true continuation until its first mismatch, so one teacher-forced pass gives the
exact match without decoding anything. Step-by-step decoding multiplies matrices of other shapes, and rounding
could decide a near-tie of the two largest logits otherwise. Tokens whose margin is below a threshold are
therefore decided again by decoding step by step. The scores of a micro-batch depend on its own paragraphs
only.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from transformers import DynamicCache

from memloc.model.passes import last_mlp_predicts
from memloc.model.subject import Subject, Tokens
from memloc.scoring.teacher_forcing import TokenScores, decided_margins, leading_matches, score_tokens


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


def teacher_forced(subject: Subject, tokens: Tokens) -> Scores:
    """Exact match, NLL (nats per continuation token) and decision margins from one pass per paragraph.

    Memory grows with the subject's micro-batch, not with the number of paragraphs.
    """
    return concatenated(subject.in_batches(lambda rows: score_batch(subject, rows), tokens))


def score(subject: Subject, tokens: Tokens, threshold: float) -> Scores:
    """The scores of `teacher_forced`; tokens with a margin below `threshold` are decided by decoding."""

    def of_rows(rows: Tokens) -> Scores:
        return redecoded(subject, rows, score_batch(subject, rows), threshold)

    return concatenated(subject.in_batches(of_rows, tokens))


@torch.inference_mode()
def score_batch(subject: Subject, rows: Tokens, cache: DynamicCache | None = None) -> Scores:
    """The scores of `teacher_forced` for one micro-batch on the device; `cache` as in `Subject.states`."""
    with last_mlp_predicts(subject, 0 if cache is None else cache.get_seq_length()):
        states = subject.states_in_parts(rows) if cache is None else subject.states(rows, cache)
    return scores_of_states(subject, states, rows[:, subject.n_prefix :])


def scores_of_states(
    subject: Subject,
    states: Float[Tensor, "paragraph continuation width"],
    true: Int[Tensor, "paragraph continuation"],
) -> Scores:
    """Scores of one micro-batch from the last hidden states that predict its continuations."""
    return scores_of(score_tokens(subject, states, true))


def scores_of(tokens: TokenScores) -> Scores:
    """Scores of one micro-batch from the token scores of its continuations."""
    em = leading_matches(tokens.matched)
    margins, no = decided_margins(tokens.margin, em), torch.zeros_like(em).bool()
    return Scores(em.cpu(), tokens.nll.mean(dim=-1).cpu(), margins.cpu(), no.cpu())


def concatenated(parts: Iterable[Scores]) -> Scores:
    """The scores of several batches of paragraphs as one."""
    return Scores(*(torch.cat(column) for column in zip(*parts, strict=True)))


def redecoded(subject: Subject, rows: Tokens, scores: Scores, threshold: float) -> Scores:
    """Scores of one micro-batch; near-ties (margins below the threshold) are decoded step by step."""
    near = scores.margins < threshold
    doubtful = near.any(dim=1)
    em = scores.em.clone()
    if doubtful.any():
        some = (column[doubtful].to(subject.device) for column in (rows, em, near))
        em[doubtful] = decode_near_ties(subject, *some).cpu()
    return scores._replace(em=em, redecoded=doubtful)


@torch.inference_mode()
def decode_near_ties(
    subject: Subject,
    rows: Tokens,
    em: Int[Tensor, "paragraph"],
    doubtful: Bool[Tensor, "paragraph continuation"],
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
        known, asked = replace(subject, n_prefix=subject.n_prefix + at), undecided[going, at]
        text = rows[going, : known.n_prefix + 1]
        states = known.states(text, cache)[asked]
        differs = torch.zeros_like(asked)
        if asked.any():
            differs[asked] = ~score_tokens(subject, states, text[asked, -1:]).matched.squeeze(1)
        em[going[differs]] = at
        stays = (~differs & undecided[going, at + 1 :].any(dim=1)).nonzero().squeeze(1)
        if len(stays) < len(going):
            cache.batch_select_indices(stays)
            going = going[stays]
    return em
