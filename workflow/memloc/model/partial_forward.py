"""Run a model again from one of its layers on, as the model itself called its layers in an earlier run.

An intervention in a layer leaves all layers below unchanged, so these are run once for all interventions. The
arguments of layers (masks, positions, rotary embeddings) differ between families and are taken from that run.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

from jaxtyping import Float
from torch import Tensor, nn
from transformers import PreTrainedModel

from memloc.model.components import final_norm_of, layers_of


class Call(NamedTuple):
    """How the model called one of its layers: the residual stream that entered it, and all else."""

    residual: Float[Tensor, "row position hidden"]
    arguments: tuple
    options: dict[str, Any]


def layers_and_norm(model: PreTrainedModel) -> list[nn.Module]:
    """The layers, first to last, and the norm after them."""
    return [*layers_of(model), final_norm_of(model)]


@contextmanager
def recording_calls(model: PreTrainedModel) -> Iterator[list[Call]]:
    """Within the context, the list takes up the calls of every layer and of the norm after the last one."""
    calls: list[Call] = []

    def keep(module: nn.Module, arguments: tuple, options: dict[str, Any]) -> None:
        calls.append(Call(arguments[0], arguments[1:], options))

    with ExitStack() as hooks:
        for module in layers_and_norm(model):
            hooks.enter_context(module.register_forward_pre_hook(keep, with_kwargs=True))
        yield calls


def call_layer(
    model: PreTrainedModel, number: int, call: Call, rows: Float[Tensor, "row position hidden"]
) -> Float[Tensor, "row position hidden"]:
    """A layer's output, or that of the norm after the last one, for other rows that enter it."""
    output = layers_and_norm(model)[number](rows, *call.arguments, **call.options)
    return output[0] if isinstance(output, tuple) else output
