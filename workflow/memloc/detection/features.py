"""Features of prefixes at several lead times, from one causal pass of the model.

A causal model's states at a token do not depend on the tokens after it. One pass over the whole prefix
therefore gives the features of every shorter prefix.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from memloc.model.sites import Site, reading
from memloc.model.subject import Subject, Tokens
from memloc.scoring.teacher_forcing import score_tokens


class PrefixFeatures(NamedTuple):
    """Features of each paragraph, in single precision on the CPU; `lead` counts the lead times."""

    nll: Float[Tensor, "paragraph token-1"]
    """NLL of every prefix token but the first, given the tokens before it, in nats."""
    residual: Float[Tensor, "paragraph lead width"]
    """Residual stream after the last layer at the last token that is seen."""


@torch.no_grad()
def prefix_features(subject: Subject, prefix: Tokens, n_seen: Sequence[int]) -> PrefixFeatures:
    """Features of the prefixes; `n_seen` has the tokens that are seen at each lead time."""
    last, stream = [n - 1 for n in n_seen], Site(subject.n_layers - 1, "resid_post")

    def of_rows(rows: Tokens) -> PrefixFeatures:
        with reading(subject, [stream]) as found:
            hidden = subject.hidden(rows)
        nll = score_tokens(subject, hidden[:, :-1], rows[:, 1:]).nll
        return PrefixFeatures(nll.float().cpu(), found[stream][:, last].float().cpu())

    return PrefixFeatures(*map(torch.cat, zip(*subject.in_batches(of_rows, prefix), strict=True)))
