"""Steering: while the model decodes, the residual stream is moved away from its mean over removed paragraphs.

The direction is the difference of means, removed minus kept paragraphs, of the residual stream that enters a
layer at the positions that predict the continuation. A multiple of it is subtracted at every position.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float, Int
from torch import Tensor

from memloc.model.components import layers_of
from memloc.model.hooks import changed_input
from memloc.model.micro_batches import in_micro_batches
from memloc.model.partial_forward import recording_calls
from memloc.removal.request import Divert, Request, Setting


def steering(request: Request) -> Divert:
    """Subtract the difference of means; settings are a depth (share of the layers) and times."""
    return _moved(request, _mean_states(request, request.remove) - _mean_states(request, request.keep))


def random_direction(request: Request) -> Divert:
    """The same along random directions of equal norm: a control."""
    difference = _mean_states(request, request.remove) - _mean_states(request, request.keep)
    drawn = torch.from_numpy(request.random.standard_normal(difference.shape)).to(difference)
    return _moved(request, drawn * (difference.norm(dim=1) / drawn.norm(dim=1)).unsqueeze(1))


def _moved(request: Request, directions: Float[Tensor, "layer hidden"]) -> Divert:
    @contextmanager
    def divert(setting: Setting) -> Iterator[None]:
        depth, times = setting
        layer = int(depth * len(directions))
        moved = lambda states: states - times * directions[layer].to(states)  # noqa: E731
        with changed_input(layers_of(request.model)[layer], moved):
            yield

    return divert


@torch.no_grad()
def _mean_states(request: Request, tokens: Int[Tensor, "paragraph token"]) -> Float[Tensor, "layer hidden"]:
    """Mean of what enters each layer at the positions that predict the continuation."""
    model, n_layers = request.model, request.model.config.num_hidden_layers

    def of_rows(rows: Int[Tensor, "paragraph token"]) -> Float[Tensor, "layer hidden"]:
        with recording_calls(model) as calls:
            model.base_model(rows[:, :-1].to(model.device), use_cache=False)
        entering = [call.residual[:, request.n_prefix - 1 :] for call in calls[:n_layers]]
        return torch.stack([states.double().sum(dim=(0, 1)).cpu() for states in entering])

    total = sum(in_micro_batches(of_rows, request.how.micro_batch, tokens))
    return (total / (len(tokens) * (tokens.shape[1] - request.n_prefix))).to(model.dtype)
