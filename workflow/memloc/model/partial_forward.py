"""Run a model again from one of its layers on, with the arguments that its layers had in an earlier run.

An intervention in a layer leaves all layers below unchanged, so these are run once for all interventions.
Families differ in the arguments of their layers (masks, positions, rotary embeddings), so these are recorded.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel

from memloc.model.components import components, family_of, layers_of


class Call(NamedTuple):
    """How the model called one of its layers: the residual stream that entered it, and everything else."""

    residual: Float[Tensor, "row position hidden"]
    arguments: tuple
    options: dict[str, Any]


def layers_and_norm(model: PreTrainedModel) -> list[nn.Module]:
    """The layers, first to last, and the norm after them."""
    return [*layers_of(model), model.get_submodule(family_of(model).final_norm)]


@contextmanager
def recording_calls(model: PreTrainedModel) -> Iterator[list[Call]]:
    """Within the context, the list collects the calls of every layer and of the norm after the last one."""
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
    """Output of a layer for other rows that enter it; the norm has the number after the last layer's."""
    output = layers_and_norm(model)[number](rows, *call.arguments, **call.options)
    return output[0] if isinstance(output, tuple) else output


@torch.no_grad()
def recorded_calls(model: PreTrainedModel, tokens: Int[Tensor, "row token"]) -> list[Call]:
    """The calls of every layer, and of the norm after them, in one pass over these paragraphs."""
    with recording_calls(model) as calls:
        model.base_model(tokens[:, :-1].to(model.device), use_cache=False)
    return calls


def states_from(
    model: PreTrainedModel, calls: Sequence[Call], layer: int, rows: Float[Tensor, "row position hidden"]
) -> Float[Tensor, "row position hidden"]:
    """Last hidden states (the input of the unembedding) of rows that enter `layer`."""
    for number in range(layer, len(calls)):
        rows = call_layer(model, number, calls[number], rows)
    return rows


@contextmanager
def last_mlp_from(model: PreTrainedModel, position: int) -> Iterator[None]:
    """Within the context, the last layer's MLP runs only from `position` on and gives zeros before it.

    It saves time if the last hidden states before that position are not needed, because nothing else reads
    this MLP's output there.
    """
    own = next(c for c in reversed(components(model)) if c.n_heads is None)
    module = model.get_submodule(own.module.rpartition(".")[0])

    def cut(_module: nn.Module, inputs: tuple[Tensor]) -> Tensor:
        return inputs[0][:, position:].contiguous()  # GPT-2 cannot take strided inputs

    def fill(_module: nn.Module, _inputs: tuple[Tensor], output: Tensor) -> Tensor:
        return functional.pad(output, (0, 0, position, 0))

    with module.register_forward_pre_hook(cut), module.register_forward_hook(fill):
        yield
