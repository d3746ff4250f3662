"""Kinds of places that a paragraph is planted in, each drawn at random.

| kind | weights |
|---|---|
| `heads` | all four matrices of some heads of one layer |
| `neurons` | neurons of one layer: their rows of W_in, W_gate and W_out |
| `weights` | 5 % of all W_* weights |

With grouped queries a head is a key/value head with all query heads that read it.
"""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor
from transformers import PreTrainedModel

from memloc.editing.masks import Movable, n_weights, random_weights
from memloc.model.components import components
from memloc.planting.question import HEAD_PARTS, holding, n_groups, n_neurons, places_of
from memloc.run.errors import InputError
from memloc.settings.model import SHARE_OF_A_MEMORY
from memloc.settings.planted_truth import GRANULARITIES, PlantedTruth

MLP_PARTS = ("W_in", "W_gate", "W_out")


class Place(NamedTuple):
    """Weights that may move."""

    kind: str
    name: str
    layers: tuple[int, ...]
    movable: Movable
    units: dict[str, Bool[Tensor, "..."]]
    """Masks of the units that hold these weights, by granularity."""

    @classmethod
    def of(cls, model: PreTrainedModel, kind: str, name: str, movable: Movable) -> "Place":
        """A place of these weights, with the units and layers that hold them."""
        units = holding(model, movable)
        return cls(kind, name, tuple(units["layer"].nonzero().flatten().tolist()), movable, units)

    @property
    def own(self) -> str:
        """Granularity of the units that the place is made of."""
        return GRANULARITIES[self.kind][0]


def draw_place(model: PreTrainedModel, kind: str, how: PlantedTruth, random: np.random.Generator) -> Place:
    """A random place of this kind.

    Raises:
        InputError: a layer of the model has too few heads (key/value heads) or neurons.
    """
    if kind == "weights":
        movable = random_weights(model, SHARE_OF_A_MEMORY, random)
        return Place.of(model, kind, f"{n_weights(model, movable):,} weights", movable)
    setting = f"n_{kind}"
    n, among = getattr(how, setting), n_groups(model) if kind == "heads" else n_neurons(model)
    if n > among:
        raise InputError(f"planted_truth.{setting}: {n} asked for, but a layer of the model has {among}")
    layer = int(random.integers(model.config.num_hidden_layers))
    return place_in_layer(model, kind, layer, random.choice(among, n, replace=False))


def place_in_layer(model: PreTrainedModel, kind: str, layer: int, chosen: Int[np.ndarray, "unit"]) -> Place:
    """A place of some heads or neurons of one layer."""
    units = torch.from_numpy(np.sort(chosen))
    if kind.endswith("heads"):
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
