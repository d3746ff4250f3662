"""Kinds of places that a paragraph is planted in, each drawn at random.

| kind | weights |
|---|---|
| `head_vo` | W_V and W_O of one head |
| `head_all` | all four matrices of one head |
| `two_heads` | W_V and W_O of two heads of different layers |
| `neurons` | neurons of one layer: their rows of W_in, W_gate and W_out |
| `inj_1`, `inj_0.1` | 1 % or 0.1 % of the rows of W_out (value vectors) over all layers (INJ of 2311.09060) |
| `scattered_1`, `scattered_0.1` | 1 % or 0.1 % of all W_* weights |

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
from memloc.settings.planted_truth import GRANULARITIES

VALUES_AND_OUTPUTS = ("W_V", "W_O")
MLP_PARTS = ("W_in", "W_gate", "W_out")
SHARES = {"inj_1": 0.01, "inj_0.1": 0.001, "scattered_1": 0.01, "scattered_0.1": 0.001}


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


def draw_place(model: PreTrainedModel, kind: str, n_chosen: int, random: np.random.Generator) -> Place:
    """A random place of this kind; kind `neurons` takes `n_chosen` neurons of a layer.

    Raises:
        InputError: the model has no such place.
    """
    n_layers = model.config.num_hidden_layers
    if kind.startswith("scattered"):
        movable = random_weights(model, SHARES[kind], random)
        name = f"{n_weights(model, movable):,} weights"
    elif kind.startswith("inj"):
        total = n_layers * n_neurons(model)
        chosen = random.choice(total, max(1, round(SHARES[kind] * total)), replace=False)
        units = by_layer(torch.from_numpy(chosen), n_neurons(model))
        movable = of_units(model, units, ("W_out",))
        name = f"{sum(map(len, units.values())):,} value vectors"
    elif kind == "neurons":
        layer, among = int(random.integers(n_layers)), n_neurons(model)
        if n_chosen > among:
            raise InputError(f"planted_truth.n_neurons: {n_chosen} asked for, but a layer has {among}")
        chosen = np.sort(random.choice(among, n_chosen, replace=False))
        movable = of_units(model, {layer: torch.from_numpy(chosen)}, MLP_PARTS)
        name = f"{n_chosen} neurons of layer {layer}"
    else:
        n_heads = 2 if kind == "two_heads" else 1
        if n_heads > n_layers:
            raise InputError("planted_truth.kinds: two_heads needs a model of two layers or more")
        layers = np.sort(random.choice(n_layers, n_heads, replace=False)).tolist()
        return heads_place(model, kind, {layer: int(random.integers(n_groups(model))) for layer in layers})
    return Place.of(model, kind, name, movable)


def heads_place(model: PreTrainedModel, kind: str, heads: dict[int, int]) -> Place:
    """The place of a kind of heads that consists of these heads (by layer)."""
    units = {layer: torch.tensor([head]) for layer, head in heads.items()}
    movable = of_units(model, units, HEAD_PARTS if kind == "head_all" else VALUES_AND_OUTPUTS)
    name = " and ".join(f"head {head} of layer {layer}" for layer, head in heads.items())
    return Place.of(model, kind, name, movable)


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
