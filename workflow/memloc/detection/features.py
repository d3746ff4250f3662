"""Features of prefixes at several lead times, from one causal pass of the model.

A causal model's states at a token do not depend on the tokens after it. One pass over the whole prefix
therefore gives the features of every shorter prefix. Gradients depend on the loss of all tokens that are
seen: they are taken once, at the last lead time.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from transformers import PreTrainedModel

from memloc.model.components import layers_of
from memloc.model.micro_batches import in_micro_batches
from memloc.scoring.teacher_forcing import n_logits_held


class Where(NamedTuple):
    """Lead times and layers at which features are read."""

    n_seen: list[int]  # prefix tokens at each lead time, fewest first
    layers: list[int]  # gradients are taken at their residual streams; the last stream is a feature


class PrefixFeatures(NamedTuple):
    """Features of each paragraph, on the CPU; `lead` counts `Where.n_seen`."""

    nll: Float[Tensor, "paragraph token-1"]
    """NLL of every prefix token but the first, given the tokens before it, in nats."""
    mean: Float[Tensor, "paragraph token"]
    """Mean of log p under the distribution of the next token: minus its entropy in nats."""
    deviation: Float[Tensor, "paragraph token"]
    """Standard deviation of log p under the same distribution."""
    residual: Float[Tensor, "paragraph lead width"]
    """Residual stream after the last chosen layer at the last token that is seen."""
    attention: Float[Tensor, "paragraph lead feature"]
    """Entropy in nats of each head's attention at that token, then its attention to the rarest tokens."""
    gradients: Float[Tensor, "paragraph feature"]
    """Gradients of the mean NLL of all tokens with respect to the residual stream after each chosen layer:
    norms over all positions, then largest absolute entries."""


def prefix_features(
    model: PreTrainedModel,
    prefix: Int[Tensor, "paragraph token"],
    rare: Bool[Tensor, "lead paragraph token"],
    where: Where,
    micro_batch: int,
) -> PrefixFeatures:
    """Features of the prefixes; `rare` marks the rarest of the tokens that are seen at each lead time.

    It leaves the model with the attention that returns patterns, and its weights without gradients.
    """
    model.set_attn_implementation("eager")
    model.requires_grad_(False)

    def of_rows(rows: Int[Tensor, "row token"], rare: Bool[Tensor, "row lead token"]) -> PrefixFeatures:
        found = _of_batch(model, rows.to(model.device), rare.to(model.device), where)
        return PrefixFeatures(*(values.float().cpu() for values in found))

    parts = in_micro_batches(of_rows, micro_batch, prefix, rare.transpose(0, 1), grow=False)
    return PrefixFeatures(*map(torch.cat, zip(*parts, strict=True)))


def residual_states(
    model: PreTrainedModel,
    prefix: Int[Tensor, "paragraph token"],
    n_seen: Sequence[int],
    layer: int,
    micro_batch: int,
) -> Float[Tensor, "paragraph lead width"]:
    """Residual stream after one layer at the last token of each lead time, on the CPU."""
    last = [n - 1 for n in n_seen]

    @torch.no_grad()
    def of_rows(rows: Int[Tensor, "row token"]) -> Float[Tensor, "row lead width"]:
        with _residuals(model, [layer]) as residuals:
            model.base_model(rows.to(model.device), use_cache=False)
        return residuals[0][:, last].float().cpu()

    return torch.cat(in_micro_batches(of_rows, micro_batch, prefix))


def rarest(
    prefix: Int[Tensor, "paragraph token"], counts: Int[Tensor, "vocabulary"], n_seen: Sequence[int]
) -> Bool[Tensor, "lead paragraph token"]:
    """The rarest tenth of the tokens that are seen at each lead time: at least one, and all that tie."""
    rarity, found = counts[prefix], []
    for n in n_seen:
        limit = rarity[:, :n].kthvalue(-(-n // 10), dim=1, keepdim=True).values
        found.append((rarity <= limit) & (torch.arange(prefix.shape[1]) < n))
    return torch.stack(found)


def _of_batch(
    model: PreTrainedModel,
    rows: Int[Tensor, "row token"],
    rare: Bool[Tensor, "row lead token"],
    where: Where,
) -> PrefixFeatures:
    with _residuals(model, where.layers) as residuals:
        output = model.base_model(rows, use_cache=False, output_attentions=True)
        hidden = output.last_hidden_state
        nll, mean, deviation, pull = _predictions(model, hidden.detach(), rows)
        gradients = _gradient_features(hidden, residuals, pull, where.n_seen[-1])
    last = [n - 1 for n in where.n_seen]
    with torch.no_grad():
        residual = residuals[-1][:, last]
        # [layer][row, head, query, key] at the queries that are read: [row, lead, layer and head, key]
        pattern = torch.cat([layer[:, :, last] for layer in output.attentions], dim=1).transpose(1, 2).float()
        entropy = torch.special.entr(pattern).sum(dim=-1)
        to_rare = (pattern * rare.unsqueeze(2)).sum(dim=-1)
    attention = torch.cat([entropy, to_rare], dim=-1)
    return PrefixFeatures(nll, mean, deviation, residual, attention, gradients)


@torch.no_grad()
def _predictions(
    model: PreTrainedModel, hidden: Float[Tensor, "row token width"], rows: Int[Tensor, "row token"]
) -> tuple[Float[Tensor, "row token-1"], Tensor, Tensor, Float[Tensor, "row token-1 width"]]:
    """nll, mean and deviation of `PrefixFeatures`, and the gradient of each token's NLL with respect to the
    final hidden state that predicts it. A few states are unembedded at a time.
    """
    weight, true = model.get_output_embeddings().weight, rows.roll(-1, dims=1).flatten()
    parts, n_held = [], n_logits_held(model)
    for some, next_token in zip(hidden.flatten(0, 1).split(n_held), true.split(n_held), strict=True):
        log_p = (some @ weight.T).float().log_softmax(dim=-1)
        p = log_p.exp()
        mean = (p * log_p).sum(dim=-1)
        square = (p * log_p.square()).sum(dim=-1)
        nll = -log_p.gather(-1, next_token.unsqueeze(-1)).squeeze(-1)
        pull = (p.to(weight.dtype) @ weight - weight[next_token]).float()
        parts.append((nll, mean, (square - mean.square()).clamp_min(0).sqrt(), pull))
    columns = (torch.cat(column).unflatten(0, rows.shape) for column in zip(*parts, strict=True))
    nll, mean, deviation, pull = columns
    return nll[:, :-1], mean, deviation, pull[:, :-1]


def _gradient_features(
    hidden: Float[Tensor, "row token width"],
    residuals: Sequence[Float[Tensor, "row token width"]],
    pull: Float[Tensor, "row token-1 width"],
    n_seen: int,
) -> Float[Tensor, "row feature"]:
    """`PrefixFeatures.gradients` of the mean NLL of the first `n_seen` tokens."""
    loss_gradient = torch.zeros_like(hidden)
    loss_gradient[:, : n_seen - 1] = (pull[:, : n_seen - 1] / (n_seen - 1)).to(hidden.dtype)
    found = torch.autograd.grad(hidden, residuals, loss_gradient)
    flat = [gradient.flatten(1).float() for gradient in found]
    return torch.stack([g.norm(dim=1) for g in flat] + [g.abs().amax(dim=1) for g in flat], dim=1)


@contextmanager
def _residuals(model: PreTrainedModel, layers: Sequence[int]) -> Iterator[list[Tensor]]:
    """Within the context, a forward pass appends the residual stream after each of the layers to the list."""
    residuals: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: tuple, output: Tensor | tuple[Tensor, ...]) -> None:
        states = output[0] if isinstance(output, tuple) else output
        if torch.is_grad_enabled() and not states.requires_grad:
            states.requires_grad_()  # nothing below the first one needs a graph
        residuals.append(states)

    with ExitStack() as hooks:
        for layer in layers:
            hooks.enter_context(layers_of(model)[layer].register_forward_hook(keep))
        yield residuals
