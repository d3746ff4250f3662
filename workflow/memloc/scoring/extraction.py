"""Probability of a continuation under sampling (2410.19482), from the logits that give its scores.

Its probability p_z is the product of its tokens' probabilities among the 40 likeliest ones alone (as in
transformers, with all ties with the 40th, renormalised). If truncation removes a token, p_z is zero and its
logarithm -inf.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from memloc.model.passes import last_mlp_predicts
from memloc.model.subject import Subject, Tokens
from memloc.scoring.paragraph_scores import Scores, concatenated, redecoded, scores_of
from memloc.scoring.teacher_forcing import TokenScores, score_logits

TOP_K = 40
LogP = Float[Tensor, "paragraph"]


def score_and_extract(subject: Subject, tokens: Tokens, threshold: float) -> tuple[Scores, LogP]:
    """`paragraph_scores.score` and, from the same pass, log p_z of every continuation."""

    def statistics(logits: Tensor, true: Tensor) -> tuple[Tensor, ...]:
        truncated = log_probability(logits, true)
        return truncated, *score_logits(logits, true)  # last: it overwrites the logits

    @torch.inference_mode()
    def of_rows(rows: Tokens) -> tuple[Scores, LogP]:
        with last_mlp_predicts(subject):
            states = subject.states_in_parts(rows)
        truncated, *found = subject.unembedded(states, rows[:, subject.n_prefix :], statistics)
        scores = redecoded(subject, rows, scores_of(TokenScores(*found)), threshold)
        return scores, truncated.cpu().double().sum(dim=1)

    scores, log_p = zip(*subject.in_batches(of_rows, tokens), strict=True)
    return concatenated(scores), torch.cat(log_p)


def log_probability(
    logits: Float[Tensor, "token vocabulary"], true: Int[Tensor, "token"]
) -> Float[Tensor, "token"]:
    """Log-probability of each true token among the `TOP_K` likeliest ones, -inf where it is none of them.

    It is never above 0, because the most likely token is left out of the sum, as in `score_logits`. Ties with
    the last one are counted only in rows that have any: counting takes longer than finding the largest.
    """
    listed = logits.topk(TOP_K + 1).values
    n_tied = torch.zeros(len(listed), 1, dtype=torch.long, device=listed.device)
    rows = (listed[:, TOP_K] == listed[:, TOP_K - 1]).nonzero().squeeze(1)
    n_tied[rows, 0] = (logits[rows] >= listed[rows, -1:]).sum(dim=-1) - TOP_K
    listed = listed[:, :TOP_K]
    top, least = listed[:, :1], listed[:, -1:]
    weights = (listed - top).exp()
    others = weights[:, 1:].sum(dim=-1, keepdim=True) + n_tied * weights[:, -1:]
    true_logit = logits.gather(-1, true.unsqueeze(-1))
    log_p = true_logit - top - others.log1p()
    return log_p.where(true_logit >= least, -torch.inf).squeeze(-1)
