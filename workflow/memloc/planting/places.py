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
from memloc.model.weights import Movable, holding, of_units
from memloc.settings.model import GROWN_GRANULARITIES


class Place(NamedTuple):
    """Weights that may move."""

    kind: str
    name: str
    movable: Movable
    units: dict[str, Bool[Tensor, "..."]]
    """Masks of the units that hold these weights, by granularity."""

    @classmethod
    def of(cls, subject: Subject, kind: str, name: str, movable: Movable) -> "Place":
        """A place of these weights, with the units and layers that hold them."""
        return cls(kind, name, movable, holding(subject, movable))

    @property
    def numbers(self) -> tuple[int | None, list[int]]:
        """The layer, and its heads or neurons; or None, and single weights, as `units` counts them."""
        layers_and_units = self.units[self.own].nonzero().T.tolist()
        return (layers_and_units[0][0] if len(layers_and_units) == 2 else None), layers_and_units[-1]

    @property
    def own(self) -> str:
        """Granularity of the units that the place is made of."""
        return GROWN_GRANULARITIES[self.kind][0]


def place_in_layer(subject: Subject, kind: str, layer: int, chosen: Int[np.ndarray, "unit"]) -> Place:
    """A place of some heads or neurons of one layer."""
    units = torch.from_numpy(np.sort(chosen))
    if kind == "grown_heads":
        parts, named = HEAD_PARTS, f"heads {' and '.join(map(str, units.tolist()))}"
    else:
        parts, named = MLP_PARTS, f"{len(units)} neurons"
    return Place.of(subject, kind, f"{named} of layer {layer}", of_units(subject, {layer: units}, parts))


def by_layer(chosen: Int[Tensor, "unit"], n_units: int) -> dict[int, Int[Tensor, "unit"]]:
    """Units by layer, ascending; `chosen` numbers the units of all layers on end, `n_units` to a layer."""
    chosen = chosen.sort().values
    layers, units = chosen // n_units, chosen % n_units
    return {int(layer): units[layers == layer] for layer in layers.unique()}
