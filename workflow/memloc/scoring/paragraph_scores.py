"""Score paragraphs: exact match and NLL (paper 3.2).

Greedy decoding follows the true continuation until its first mismatch, so one teacher-forced pass gives the
exact match without decoding anything. Step-by-step decoding multiplies matrices of other shapes, and rounding
could decide a near-tie of the two largest logits otherwise. From the first token with a margin below a
threshold on, paragraphs are therefore decoded. The scores of a micro-batch depend on its own paragraphs only.
"""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from transformers import DynamicCache

from memloc.model.passes import last_mlp_predicts
from memloc.model.subject import Subject, Tokens
from memloc.scoring.decoding import continue_from_scores
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
    """Scores of one micro-batch; from its first near-tie (a margin below the threshold) on, a paragraph is
    decoded step by step.

    No near-tie lies behind the first mismatch, so decoding goes on from the true tokens.
    """
    near = scores.margins < threshold
    doubtful, em = near.any(dim=1), scores.em.clone()
    if doubtful.any():
        some = rows[doubtful.to(rows.device)]
        decoded = continue_from_scores(subject, some, near[doubtful].int().argmax(dim=1).to(rows.device))
        em[doubtful] = leading_matches(decoded == some[:, subject.n_prefix :]).cpu()
    return scores._replace(em=em, redecoded=doubtful)
