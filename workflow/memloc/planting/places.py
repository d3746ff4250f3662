"""Places of paragraphs: heads or neurons of one layer, a head of each of two layers, single or all weights.

With grouped queries a head is a key/value head with all query heads that read it.
"""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from memloc.model.components import HEAD_PARTS, MLP_PARTS
from memloc.model.subject import Subject
from memloc.model.weights import Movable, holding, of_units, split_weights
from memloc.settings.model import GROWN_GRANULARITIES, ONLY_ASKED

SCATTERED, TWO_LAYERS, EVERYWHERE = "grown_weights", "grown_two_layers", "grown_everywhere"


class Place(NamedTuple):
    """Weights that may move."""

    kind: str
    name: str
    movable: Movable
    units: dict[str, Bool[Tensor, "..."]]
    """Masks of the units that hold these weights, by granularity."""

    @property
    def numbers(self) -> tuple[int | None, list[int]]:
        """The layer, and its heads or neurons; or None, and units of all layers (or weights) on end."""
        units = self.units[self.own]
        if self.kind in (SCATTERED, *ONLY_ASKED):
            return None, units.flatten().nonzero().flatten().tolist()
        layers, within = units.nonzero().T.tolist()
        return layers[0], within

    @property
    def own(self) -> str:
        """Granularity of the units that the place is made of."""
        return GROWN_GRANULARITIES[self.kind][0]


def place_of(subject: Subject, kind: str, layer: int | None, units: Int[np.ndarray, "unit"]) -> Place:
    """A place by the columns `layer` and `units` of table `grown`."""
    chosen = torch.from_numpy(np.sort(units))
    if kind == SCATTERED:
        name, movable = f"{len(chosen):,} weights", split_weights(chosen, subject.weights)
    elif kind == EVERYWHERE:
        movable = {each: torch.arange(own.numel()).to(own.device) for each, own in subject.weights.items()}
        name = "all weights"
    elif kind == TWO_LAYERS:
        heads = by_layer(chosen, subject.n_groups)
        name = " and ".join(f"head {int(own)} of layer {layer}" for layer, own in heads.items())
        movable = of_units(subject, heads, HEAD_PARTS)
    else:
        heads = kind == "grown_heads"
        name = f"heads {' and '.join(map(str, chosen.tolist()))}" if heads else f"{len(chosen)} neurons"
        name = f"{name} of layer {layer}"
        movable = of_units(subject, {layer: chosen}, HEAD_PARTS if heads else MLP_PARTS)
    return Place(kind, name, movable, holding(subject, movable))


def by_layer(chosen: Int[Tensor, "unit"], n_units: int) -> dict[int, Int[Tensor, "unit"]]:
    """Units by layer, ascending; `chosen` numbers the units of all layers on end, `n_units` to a layer."""
    chosen = chosen.sort().values
    layers, units = chosen // n_units, chosen % n_units
    return {int(layer): units[layers == layer] for layer in layers.unique()}
