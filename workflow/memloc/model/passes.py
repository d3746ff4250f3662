"""Run a model again from one of its layers on, with the arguments that its layers had in an earlier run.

An intervention in a layer leaves all layers below unchanged, so these are run once for all interventions.
Families differ in the arguments of their layers (masks, positions, rotary embeddings), so these are recorded.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from memloc.model.sites import hook
from memloc.model.subject import Subject, Tokens


class Call(NamedTuple):
    """How the model called one of its layers: the residual stream that entered it, and everything else."""

    residual: Float[Tensor, "row position hidden"]
    arguments: tuple
    options: dict[str, Any]


@contextmanager
def recording_calls(subject: Subject) -> Iterator[list[Call]]:
    """Within the context, the list collects the calls of every layer and of the norm after the last one."""
    calls: list[Call] = []

    def keep(module: nn.Module, arguments: tuple, options: dict[str, Any]) -> None:
        calls.append(Call(arguments[0], arguments[1:], options))

    with ExitStack() as hooks:
        for name in subject.stream:
            hooks.enter_context(subject.module(name).register_forward_pre_hook(keep, with_kwargs=True))
        yield calls


@torch.no_grad()
def recorded_calls(subject: Subject, tokens: Tokens) -> list[Call]:
    """The calls of every layer, and of the norm after them, in one pass over these paragraphs."""
    with recording_calls(subject) as calls:
        subject.hidden(tokens[:, :-1].to(subject.device))
    return calls


def call_layer(
    subject: Subject, number: int, call: Call, rows: Float[Tensor, "row position hidden"]
) -> Float[Tensor, "row position hidden"]:
    """Output of a layer for other rows that enter it; the norm has the number after the last layer's."""
    output = subject.module(subject.stream[number])(rows, *call.arguments, **call.options)
    return output[0] if isinstance(output, tuple) else output


def states_from(
    subject: Subject, calls: Sequence[Call], layer: int, rows: Float[Tensor, "row position hidden"]
) -> Float[Tensor, "row continuation hidden"]:
    """Last hidden states that predict the continuation, of rows that enter `layer`."""
    for number in range(layer, len(calls)):
        rows = call_layer(subject, number, calls[number], rows)
    return rows[:, subject.n_prefix - 1 :]


@contextmanager
def last_mlp_predicts(subject: Subject, n_cached: int = 0, every: int = 1) -> Iterator[None]:
    """Within the context, the last layer's MLP runs where it predicts each `every`-th continuation token.

    Nothing that predicts the tokens there reads its output at other positions, so it may be zero. Passes
    begin after `n_cached` tokens.
    """
    run = slice(subject.n_prefix - 1 - n_cached, None, every)
    lengths: list[int] = []
    out = subject.component(subject.n_layers - 1, "W_out").module
    module = subject.module(out.rpartition(".")[0])

    def cut(states: Float[Tensor, "row position hidden"]) -> Tensor:
        lengths.append(states.shape[1])
        return states[:, run].contiguous()  # GPT-2 cannot take strided inputs

    def fill(output: Float[Tensor, "row position hidden"]) -> Tensor:
        whole = output.new_zeros(len(output), lengths.pop(), output.shape[-1])  # patches add rows within
        whole[:, run] = output
        return whole

    with hook(module, cut, "input"), hook(module, fill, "output"):
        yield
