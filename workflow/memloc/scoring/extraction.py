"""Probability of a continuation under sampling (2410.19482), from the logits that give its scores.

Its probability p_z is the product of its tokens' probabilities under a scheme. Logits are divided by the
temperature, truncated as in transformers (top k, ties with the k-th kept, then top p), and renormalised. If
truncation removes a token, p_z is zero and its logarithm -inf.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import PreTrainedModel

from memloc.model.micro_batches import in_micro_batches
from memloc.scoring.paragraph_scores import Scores, concatenated, redecoded, scores_of
from memloc.scoring.teacher_forcing import TokenScores, score_logits, states_in_parts, unembedded
from memloc.settings.extraction import Scheme
from memloc.settings.scores import Scoring

PLAIN = Scheme()  # the model's own distribution: its log-probability is minus the NLL
N_TOKEN_SCORES = len(TokenScores._fields)
LogP = Float[Tensor, "paragraph scheme"]


def score_and_extract(
    model: PreTrainedModel,
    tokens: Int[Tensor, "paragraph token"],
    n_prefix: int,
    scoring: Scoring,
    schemes: Sequence[Scheme],
) -> tuple[Scores, LogP]:
    """`paragraph_scores.score` and, from the same pass, log p_z of every continuation."""

    def of_rows(rows: Int[Tensor, "paragraph token"]) -> tuple[Scores, LogP]:
        scores, log_p = _of_batch(model, rows, n_prefix, schemes)
        return redecoded(model, rows, scores, n_prefix, scoring), log_p

    scores, log_p = zip(*in_micro_batches(of_rows, scoring.micro_batch, tokens), strict=True)
    return concatenated(scores), torch.cat(log_p)


@torch.inference_mode()
def _of_batch(
    model: PreTrainedModel, rows: Int[Tensor, "paragraph token"], n_prefix: int, schemes: Sequence[Scheme]
) -> tuple[Scores, LogP]:
    rows = rows.to(model.device)

    def statistics(logits: Tensor, true: Tensor) -> tuple[Tensor, ...]:
        log_p = {scheme: log_probability(logits, true, scheme) for scheme in schemes if scheme != PLAIN}
        scores = score_logits(logits, true)  # last: it overwrites the logits
        log_p[PLAIN] = -scores.nll
        return *scores, *(log_p[scheme] for scheme in schemes)

    states = states_in_parts(model, rows, n_prefix)
    found = unembedded(model, states, rows[:, n_prefix:], statistics)
    scores, log_p = TokenScores(*found[:N_TOKEN_SCORES]), found[N_TOKEN_SCORES:]
    by_token = torch.stack(log_p, dim=-1).cpu()  # [paragraph, continuation, scheme]
    return scores_of(scores), by_token.double().sum(dim=1)


def log_probability(
    logits: Float[Tensor, "token vocabulary"], true: Int[Tensor, "token"], scheme: Scheme
) -> Float[Tensor, "token"]:
    """Log-probability of each true token under a scheme, -inf where truncation removes it.

    It is never above 0, because the most likely token is left out of the sum, as in `score_logits`. Tokens
    that tie with the last one within top p are kept, too.
    """
    scaled = logits / scheme.temperature if scheme.temperature != 1 else logits
    n_tokens = logits.shape[-1]
    if scheme.top_p is None and (scheme.top_k or n_tokens) >= n_tokens:
        return -score_logits(scaled.clone(), true).nll
    n_listed = min(scheme.top_k or n_tokens, n_tokens)
    listed = scaled.topk(min(n_listed + 1, n_tokens)).values
    n_tied = _n_tied(scaled, listed, n_listed)
    listed = listed[:, :n_listed]
    top, least = listed[:, :1], listed[:, -1:]
    weights = (listed - top).exp()
    tied = n_tied * weights[:, -1:]
    if scheme.top_p is not None:
        before = weights.cumsum(dim=-1) - weights
        within = before < scheme.top_p * (weights.sum(dim=-1, keepdim=True) + tied)
        least = listed.gather(-1, within.sum(dim=-1, keepdim=True) - 1)
        weights, tied = weights * (listed >= least), tied * (listed[:, -1:] >= least)
    others = weights[:, 1:].sum(dim=-1, keepdim=True) + tied
    true_logit = scaled.gather(-1, true.unsqueeze(-1))
    log_p = true_logit - top - others.log1p()
    return log_p.where(true_logit >= least, -torch.inf).squeeze(-1)


def _n_tied(
    scaled: Float[Tensor, "token vocabulary"], listed: Float[Tensor, "token listed"], n_listed: int
) -> Int[Tensor, "token 1"]:
    """Number of tokens beyond the first `n_listed` that tie with the last of these.

    `listed` has one token more, if there is any: only rows where it ties are counted, because counting a row
    takes longer than finding its largest values.
    """
    n_tied = torch.zeros(len(listed), 1, dtype=torch.long, device=listed.device)
    if listed.shape[1] > n_listed:
        rows = (listed[:, n_listed] == listed[:, n_listed - 1]).nonzero().squeeze(1)
        n_tied[rows, 0] = (scaled[rows] >= listed[rows, -1:]).sum(dim=-1) - n_listed
    return n_tied


def extraction_frame(
    log_p: LogP, ids: Int[np.ndarray, "paragraph"], schemes: Sequence[Scheme]
) -> pd.DataFrame:
    """Table `extraction`: a row per paragraph and scheme."""
    n = len(schemes)
    return pd.DataFrame(
        {
            "id": np.repeat(np.asarray(ids), n),
            "scheme": [scheme.name for scheme in schemes] * len(ids),
            "log_p": log_p.flatten().numpy(),
        }
    )
