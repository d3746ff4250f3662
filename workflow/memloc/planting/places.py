"""Places of paragraphs: heads or neurons of one layer, or single weights.

With grouped queries a head is a key/value head with all query heads that read it.
"""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor
from transformers import PreTrainedModel

from memloc.editing.masks import Movable
from memloc.model.components import components
from memloc.planting.question import HEAD_PARTS, holding, places_of
from memloc.settings.model import GROWN_GRANULARITIES

MLP_PARTS = ("W_in", "W_gate", "W_out")


class Place(NamedTuple):
    """Weights that may move."""

    kind: str
    name: str
    movable: Movable
    units: dict[str, Bool[Tensor, "..."]]
    """Masks of the units that hold these weights, by granularity."""

    @classmethod
    def of(cls, model: PreTrainedModel, kind: str, name: str, movable: Movable) -> "Place":
        """A place of these weights, with the units and layers that hold them."""
        return cls(kind, name, movable, holding(model, movable))

    @property
    def numbers(self) -> tuple[int | None, list[int]]:
        """The layer, and its heads or neurons; or None, and single weights, as `units` counts them."""
        layers_and_units = self.units[self.own].nonzero().T.tolist()
        return (layers_and_units[0][0] if len(layers_and_units) == 2 else None), layers_and_units[-1]

    @property
    def own(self) -> str:
        """Granularity of the units that the place is made of."""
        return GROWN_GRANULARITIES[self.kind][0]


def place_in_layer(model: PreTrainedModel, kind: str, layer: int, chosen: Int[np.ndarray, "unit"]) -> Place:
    """A place of some heads or neurons of one layer."""
    units = torch.from_numpy(np.sort(chosen))
    if kind == "grown_heads":
        parts, named = HEAD_PARTS, f"heads {' and '.join(map(str, units.tolist()))}"
    else:
        parts, named = MLP_PARTS, f"{len(units)} neurons"
    return Place.of(model, kind, f"{named} of layer {layer}", of_units(model, {layer: units}, parts))


def by_layer(chosen: Int[Tensor, "unit"], n_units: int) -> dict[int, Int[Tensor, "unit"]]:
    """Units by layer, ascending; `chosen` numbers the units of all layers on end, `n_units` to a layer."""
    chosen = chosen.sort().values
    layers, units = chosen // n_units, chosen % n_units
    return {int(layer): units[layers == layer] for layer in layers.unique()}


def of_units(
    model: PreTrainedModel, units: dict[int, Int[Tensor, "unit"]], names: tuple[str, ...]
) -> Movable:
    """The weights of some units (by layer) in the components of these names."""
    found: dict[str, list[Tensor]] = {}
    for component in components(model):
        if component.name in names and component.layer in units:
            places = places_of(model, component, units[component.layer])
            found.setdefault(component.parameter, []).append(places)
    return {
        name: torch.cat(places).sort().values.to(model.get_parameter(name).device)
        for name, places in found.items()
    }
