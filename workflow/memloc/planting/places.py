"""Places of paragraphs: heads or neurons of one layer, or single weights.

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
from memloc.settings.model import GROWN_GRANULARITIES

SCATTERED = "grown_weights"


class Place(NamedTuple):
    """Weights that may move."""

    kind: str
    name: str
    movable: Movable
    units: dict[str, Bool[Tensor, "..."]]
    """Masks of the units that hold these weights, by granularity."""

    @property
    def numbers(self) -> tuple[int | None, list[int]]:
        """The layer, and its heads or neurons; or None, and single weights, as `units` counts them."""
        layers_and_units = self.units[self.own].nonzero().T.tolist()
        return (layers_and_units[0][0] if len(layers_and_units) == 2 else None), layers_and_units[-1]

    @property
    def own(self) -> str:
        """Granularity of the units that the place is made of."""
        return GROWN_GRANULARITIES[self.kind][0]


def place_of(subject: Subject, kind: str, layer: int | None, units: Int[np.ndarray, "unit"]) -> Place:
    """A place by the columns `layer` and `units` of table `grown`: heads or neurons, or single weights."""
    chosen = torch.from_numpy(np.sort(units))
    if kind == SCATTERED:
        name, movable = f"{len(chosen):,} weights", split_weights(chosen, subject.weights)
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
