"""Memories that grow in a model while it is trained: paragraphs, places and recitation.

| kind | weights |
|---|---|
| `grown_heads` | all four matrices of three heads of one layer |
| `grown_neurons` | neurons of one layer: their rows of W_in and W_out |
| `grown_weights` | 5 % of all W_* weights |
| `grown_two_layers` | all four matrices of a head of each of two layers |
| `grown_everywhere` | all W_* weights, so in no place |

Heads and neurons come from the layers in turn. No two places share a weight; memories that grow everywhere
move all of them, as ordinary text does.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from memloc.model.subject import Subject
from memloc.model.weights import Granularity, Movable, holding, values_at
from memloc.planting.places import EVERYWHERE, SCATTERED, TWO_LAYERS, Place, place_of
from memloc.run.seeds import generator
from memloc.settings.model import HEADS_OF_A_MEMORY, SHARE_OF_A_MEMORY, Grown


class Memory(NamedTuple):
    """A paragraph and the place that it grows in."""

    kind: str
    number: int
    id: int
    place: Place

    @property
    def labels(self) -> dict[str, Any]:
        """The columns that name it in tables."""
        return {"kind": self.kind, "memory": self.number, "id": self.id, "place": self.place.name}


def grown_ids(paragraphs: pd.DataFrame, how: Grown, seed: int) -> Int[np.ndarray, "memory"]:
    """Ids of the paragraphs to grow, in the order of `grown_memories`; `paragraphs` has id and unseen."""
    unseen = paragraphs.loc[paragraphs["unseen"], "id"].to_numpy()
    return generator(seed, "grown", "paragraphs").permutation(unseen)[: how.n_paragraphs]


def grown_memories(subject: Subject, ids: Int[np.ndarray, "memory"], how: Grown, seed: int) -> list[Memory]:
    """Memories in random places, kind after kind. Valid settings leave room for all."""
    places: dict[str, list[Place]] = {}
    for kind, draw in DRAWN.items():
        if kind in how.kinds:
            taken = [place for own in places.values() for place in own]
            places[kind] = list(draw(subject, kind, taken, how, seed))
    keys = [(kind, number) for kind in how.kinds for number in range(how.n_memories)]
    return [Memory(*key, int(id), places[key[0]][key[1]]) for key, id in zip(keys, ids, strict=True)]


def memories_of(subject: Subject, grown: pd.DataFrame) -> list[Memory]:
    """The memories of table `grown`, with their places in a model of the shape that they grew in."""
    return [
        Memory(row.kind, row.memory, row.id, place_of(subject, row.kind, row.layer, np.array(row.units)))
        for row in grown.itertuples()
    ]


def swapped_memories(memories: Sequence[Memory]) -> list[Memory]:
    """The memories of the swap twin: each paragraph grows in the place of the next one of its kind.

    They are numbered after the model's.
    """
    found = []
    for memory in memories:
        kind = [each for each in memories if each.kind == memory.kind]
        other = kind[(memory.number + 1) % len(kind)]
        found.append(memory._replace(number=memory.number + len(kind), place=other.place))
    return found


def _places_of_units(
    subject: Subject, kind: str, taken: Sequence[Place], how: Grown, seed: int
) -> Iterator[Place]:
    """Places of random heads or neurons, from the layers in turn."""
    heads = kind == "grown_heads"
    among, n = (subject.n_groups, HEADS_OF_A_MEMORY) if heads else (subject.n_neurons, how.n_neurons)
    for number in range(how.n_memories):
        turn, layer = divmod(number, subject.n_layers)
        chosen = generator(seed, "grown", kind, str(layer)).permutation(among)[turn * n : (turn + 1) * n]
        yield place_of(subject, kind, layer, chosen)


def _places_over_two_layers(
    subject: Subject, kind: str, taken: Sequence[Place], how: Grown, seed: int
) -> Iterator[Place]:
    """Places of a random free head of each of the two layers that have most free ones left."""
    free, random = ~_held(subject, "head", taken), generator(seed, "grown", kind)
    for _ in range(how.n_memories):
        layers = free.sum(dim=1).argsort(descending=True, stable=True)[:2].tolist()
        heads = [int(random.choice(free[layer].nonzero().flatten().numpy())) for layer in layers]
        free[layers, heads] = False
        yield place_of(subject, kind, None, np.array(layers) * subject.n_groups + heads)


def _scattered_places(
    subject: Subject, kind: str, taken: Sequence[Place], how: Grown, seed: int
) -> Iterator[Place]:
    """Places of random weights, none of which is in another place."""
    free = ~_held(subject, "weight", taken)
    order = generator(seed, "grown", kind).permutation(free.nonzero().squeeze(1).numpy())
    n = round(SHARE_OF_A_MEMORY * len(free))
    for number in range(how.n_memories):
        yield place_of(subject, kind, None, order[number * n : (number + 1) * n])


def _held(subject: Subject, granularity: Granularity, taken: Sequence[Place]) -> Bool[Tensor, "..."]:
    """Mask of the units that places hold weights of."""
    none = holding(subject, {})[granularity]
    return torch.stack([none, *(place.units[granularity] for place in taken)]).any(dim=0)


def _everywhere(subject: Subject, kind: str, taken: Sequence[Place], how: Grown, seed: int) -> list[Place]:
    return how.n_memories * [place_of(subject, kind, None, np.arange(0))]


# In this order: single weights are drawn among those that other places leave.
DRAWN = {
    "grown_heads": _places_of_units,
    "grown_neurons": _places_of_units,
    TWO_LAYERS: _places_over_two_layers,
    SCATTERED: _scattered_places,
    EVERYWHERE: _everywhere,
}


def relative_norm(subject: Subject, movable: Movable) -> float:
    """Root mean square of some weights, divided by that of the others in their matrices; NaN without any."""
    own = torch.cat(list(values_at(subject, movable).values())).square()
    every = torch.cat([subject.model.get_parameter(name).detach().flatten() for name in movable]).square()
    others = (every.sum() - own.sum()) / (len(every) - len(own))
    return float((own.mean() / others).sqrt())
