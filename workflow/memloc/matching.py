"""Exact match alone (METHODS M1): a paragraph is run until its first mismatch only."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from memloc.decisions import continuation_states, judge

N_FIRST = 4  # continuation tokens that are run at first; later as many as are matched already


class Matches(NamedTuple):
    """One value per paragraph, on the model's device; the smallest ones up to the first mismatch."""

    em: Int[Tensor, "paragraph"]
    margin: Float[Tensor, "paragraph"]  # between the two largest logits
    lead: Float[Tensor, "paragraph"]  # between the true token's logit and the largest other one


@torch.inference_mode()
def match_batch(
    model: PreTrainedModel,
    rows: Int[Tensor, "paragraph token"],
    n_prefix: int,
    cache: DynamicCache,
    least_lead: float = 0.0,
    one_by_one: bool = False,
) -> Matches:
    """Exact match, margin and lead of one micro-batch, of which paragraphs drop out at their first mismatch.

    Paragraphs with a decision by less than `least_lead` logits drop out there, and their em is meaningless.
    `cache` holds the first tokens (fewer than n_prefix, or none), and is extended. `one_by_one` runs a token
    at a time, as decoding does.
    """
    n_left = rows.shape[1] - n_prefix
    em = torch.zeros(len(rows), dtype=torch.long, device=rows.device)
    margin, lead = torch.full((2, len(rows)), torch.inf, device=rows.device)
    going, start = torch.arange(len(rows), device=rows.device), 0
    while len(going) and start < n_left:
        stop = start + 1 if one_by_one else min(max(N_FIRST, 2 * start), n_left)
        text = rows[going, : n_prefix + stop]
        states = continuation_states(model, text, n_prefix + start, cache)
        matched, gap, ahead, _ = judge(model, states, text[:, n_prefix + start :])
        n_matched = matched.long().cumprod(dim=1).sum(dim=1)
        decided = torch.arange(stop - start, device=rows.device) <= n_matched.unsqueeze(1)
        em[going] += n_matched
        margin[going] = margin[going].minimum(gap.where(decided, torch.inf).amin(dim=1))
        lead[going] = lead[going].minimum(ahead.abs().where(decided, torch.inf).amin(dim=1))
        stays = (matched.all(dim=1) & (lead[going] >= least_lead)).nonzero().squeeze(1)
        if len(stays) < len(going):
            cache.batch_select_indices(stays)
            going = going[stays]
        start = stop
    return Matches(em, margin, lead)
