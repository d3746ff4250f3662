"""Features of prefixes at several lead times, from one causal pass of the model.

A causal model's states at a token do not depend on the tokens after it. One pass over the whole prefix
therefore gives the features of every shorter prefix.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import PreTrainedModel

from memloc.model.components import family_of
from memloc.model.micro_batches import in_micro_batches
from memloc.scoring.teacher_forcing import n_logits_held


class PrefixFeatures(NamedTuple):
    """Features of each paragraph, in single precision on the CPU; `lead` counts the lead times."""

    nll: Float[Tensor, "paragraph token-1"]
    """NLL of every prefix token but the first, given the tokens before it, in nats."""
    mean: Float[Tensor, "paragraph token-1"]
    """Mean of log p under the distribution of the same token: minus its entropy in nats."""
    deviation: Float[Tensor, "paragraph token-1"]
    """Standard deviation of log p under the same distribution."""
    residual: Float[Tensor, "paragraph lead width"]
    """Residual stream after the last layer at the last token that is seen."""


@torch.no_grad()
def prefix_features(
    model: PreTrainedModel, prefix: Int[Tensor, "paragraph token"], n_seen: Sequence[int], micro_batch: int
) -> PrefixFeatures:
    """Features of the prefixes; `n_seen` has the tokens that are seen at each lead time."""
    last = [n - 1 for n in n_seen]

    def of_rows(rows: Int[Tensor, "row token"]) -> PrefixFeatures:
        streams: list[Tensor] = []

        def keep(_norm: nn.Module, entering: tuple[Tensor, ...]) -> None:
            streams.append(entering[0])

        rows = rows.to(model.device)
        with model.get_submodule(family_of(model).final_norm).register_forward_pre_hook(keep):
            hidden = model.base_model(rows, use_cache=False).last_hidden_state
        found = (*_predictions(model, hidden[:, :-1], rows[:, 1:]), streams[0][:, last])
        return PrefixFeatures(*(values.float().cpu() for values in found))

    parts = in_micro_batches(of_rows, micro_batch, prefix)
    return PrefixFeatures(*map(torch.cat, zip(*parts, strict=True)))


def _predictions(
    model: PreTrainedModel, hidden: Float[Tensor, "row token width"], true: Int[Tensor, "row token"]
) -> list[Float[Tensor, "row token"]]:
    """nll, mean and deviation of `PrefixFeatures`. A few states are unembedded at a time."""
    unembed, n_held, parts = model.get_output_embeddings(), n_logits_held(model), []
    for some, token in zip(hidden.flatten(0, 1).split(n_held), true.flatten().split(n_held), strict=True):
        log_p = unembed(some).float().log_softmax(dim=-1)
        p = log_p.exp()
        mean = (p * log_p).sum(dim=-1)
        variance = (p * log_p.square()).sum(dim=-1) - mean.square()
        nll = -log_p.gather(-1, token.unsqueeze(-1)).squeeze(-1)
        parts.append((nll, mean, variance.clamp_min(0).sqrt()))
    return [torch.cat(column).unflatten(0, true.shape) for column in zip(*parts, strict=True)]
