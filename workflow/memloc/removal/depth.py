"""How deep a removal goes: hidden states after it, patched into the original model layer by layer.

Where states of the model that never saw a paragraph raise its NLL in the original model, the original's own
states held the paragraph. The share of that rise that states after a removal cause is its depth: 0 where all
is intact, 1 where it is as if never seen. Two trainings differ everywhere, so the same is asked of paragraphs
that both models have seen: where their NLL rises, too, the score says nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import PreTrainedModel

from memloc.model.components import final_norm_of, layers_of
from memloc.model.micro_batches import in_micro_batches
from memloc.scoring.paragraph_scores import scores_of_states
from memloc.scoring.teacher_forcing import continuation_states

States = Float[Tensor, "paragraph layer continuation width"]


@torch.inference_mode()
def leaving_states(
    model: PreTrainedModel, tokens: Int[Tensor, "paragraph token"], n_prefix: int, micro_batch: int
) -> States:
    """Output of every layer at the positions that predict the continuation, on the CPU."""

    def of_rows(rows: Int[Tensor, "paragraph token"]) -> States:
        found: list[Tensor] = []

        def keep(_: int, entering: Tensor) -> None:
            found.append(entering[:, n_prefix - 1 :].cpu())

        with _after_layers(model, keep):
            continuation_states(model, rows.to(model.device), n_prefix)
        return torch.stack(found, dim=1)

    return torch.cat(in_micro_batches(of_rows, micro_batch, tokens))


@torch.inference_mode()
def rises(
    model: PreTrainedModel,
    tokens: Int[Tensor, "paragraph token"],
    patched: States,
    n_prefix: int,
    micro_batch: int,
) -> Float[Tensor, "paragraph layer"]:
    """How far the NLL (nats per token) of every paragraph rises with the states of one layer patched."""

    def of_rows(rows: Int[Tensor, "paragraph token"], states: States) -> Float[Tensor, "paragraph layer"]:
        rows = rows.to(model.device)

        def nll() -> Float[Tensor, "paragraph"]:
            last = continuation_states(model, rows, n_prefix)
            return scores_of_states(model, last, rows[:, n_prefix:]).nll

        own, found = nll(), []
        for chosen in range(states.shape[1]):

            def patch(layer: int, entering: Tensor, chosen: int = chosen) -> Tensor | None:
                if layer != chosen:
                    return None
                before = entering[:, : n_prefix - 1]
                return torch.cat([before, states[:, chosen].to(entering)], dim=1)

            with _after_layers(model, patch):
                found.append(nll() - own)
        return torch.stack(found, dim=1)

    return torch.cat(in_micro_batches(of_rows, micro_batch, tokens, patched))


@contextmanager
def _after_layers(model: PreTrainedModel, see: Callable[[int, Tensor], Tensor | None]) -> Iterator[None]:
    """Show `see` what leaves every layer, and let it give something else in its place."""
    places = [*list(layers_of(model))[1:], final_norm_of(model)]

    def hook(layer: int) -> Callable[[nn.Module, tuple[Any, ...]], tuple[Any, ...] | None]:
        def before(_: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...] | None:
            given = see(layer, inputs[0])
            return None if given is None else (given, *inputs[1:])

        return before

    handles = [place.register_forward_pre_hook(hook(layer)) for layer, place in enumerate(places)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
