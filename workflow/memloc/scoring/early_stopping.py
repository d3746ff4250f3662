"""Exact match alone (paper 3.2): a paragraph is run only until its exact match is decided."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from memloc.scoring.teacher_forcing import continuation_states, leading_matches, score_tokens

N_FIRST = 8  # continuation tokens that are run at first; then as many as have matched so far


def decided_margins(
    margin: Float[Tensor, "paragraph token"], em: Int[Tensor, "paragraph"]
) -> Float[Tensor, "paragraph token"]:
    """Margins (logits) between the two largest logits up to the first mismatch, and inf after it."""
    return margin.where(torch.arange(margin.shape[1], device=margin.device) <= em.unsqueeze(1), torch.inf)


@torch.inference_mode()
def match_batch(
    model: PreTrainedModel,
    rows: Int[Tensor, "paragraph token"],
    n_prefix: int,
    cache: DynamicCache,
) -> tuple[Int[Tensor, "paragraph"], Float[Tensor, "paragraph continuation"]]:
    """Exact match (tokens) and margins (logits) of one micro-batch, on the model's device.

    Paragraphs drop out at their first mismatch; margins are those of `decided_margins`. `cache` holds the
    first tokens (fewer than n_prefix, or none), and is extended.
    """
    n_left = rows.shape[1] - n_prefix
    em = torch.zeros(len(rows), dtype=torch.long, device=rows.device)
    margins = torch.full((len(rows), n_left), torch.inf, device=rows.device)
    going, start = torch.arange(len(rows), device=rows.device), 0
    while len(going) and start < n_left:
        stop = min(max(N_FIRST, 2 * start), n_left)
        text = rows[going, : n_prefix + stop]
        states = continuation_states(model, text, n_prefix + start, cache)
        matched, margin, _ = score_tokens(model, states, text[:, n_prefix + start :])
        n_matched = leading_matches(matched)
        em[going] += n_matched
        margins[going, start:stop] = decided_margins(margin, n_matched)
        stays = matched.all(dim=1).nonzero().squeeze(1)
        if len(stays) < len(going):
            cache.batch_select_indices(stays)
            going = going[stays]
        start = stop
    return em, margins


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
