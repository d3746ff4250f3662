"""Activation patching with one full forward pass per site, through plain torch hooks."""

from collections.abc import Sequence
from contextlib import ExitStack

import torch
from jaxtyping import Int
from plain_hooks import columns, edited
from torch import Tensor
from transformers import PreTrainedModel

Site = tuple[int, str, int]
"""Layer, component (q, k or v) and head."""


@torch.no_grad()
def impact_nll(model: PreTrainedModel, tokens: Int[Tensor, "1 token"], impact: int) -> float:
    """NLL of the paragraph's own token at the impact position, from a full forward pass."""
    return -model(tokens).logits.log_softmax(-1)[0, impact - 1, tokens[0, impact]].item()


class SitePatching:
    """A paragraph into which activations of another one's run are patched, one site at a time."""

    def __init__(
        self,
        model: PreTrainedModel,
        receiver: Int[Tensor, "1 token"],
        source: Int[Tensor, "1 token"],
        position: int,
        impact: int,
        sites: Sequence[Site],
    ) -> None:
        self._model, self._receiver, self._position, self._impact = model, receiver, position, impact
        self._sites = list(sites)
        self._unpatched = impact_nll(model, receiver, impact)
        self._activations: dict[tuple[int, str], Tensor] = {}
        with ExitStack() as stack, torch.no_grad():
            for layer, component in dict.fromkeys(site[:2] for site in sites):
                stack.enter_context(edited(model, layer, component, self._keep(layer, component)))
            model(source)

    def nll_changes(self, fraction: float = 1.0) -> list[float]:
        """NLL change when one head is moved by a fraction of the way to the other run's activation."""
        return [self._patched_nll(*site, fraction) - self._unpatched for site in self._sites]

    def _keep(self, layer: int, component: str):
        def keep(value: Tensor) -> Tensor:
            self._activations[layer, component] = value
            return value

        return keep

    def _patched_nll(self, layer: int, component: str, head: int, fraction: float) -> float:
        here = 0, self._position, columns(self._model, component, head)

        def patch(value: Tensor) -> Tensor:
            value = value.clone()
            value[here] += fraction * (self._activations[layer, component][here] - value[here])
            return value

        with edited(self._model, layer, component, patch):
            return impact_nll(self._model, self._receiver, self._impact)
