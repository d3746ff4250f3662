"""Memories that grow in a model while it is trained: paragraphs, places and recitation.

| kind | weights |
|---|---|
| `grown_heads` | all four matrices of three heads of one layer |
| `grown_neurons` | neurons of one layer: their rows of W_in and W_out |
| `grown_weights` | 5 % of all W_* weights |

Heads and neurons come from the layers in turn. No two memories share a weight.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Int

from memloc.model.subject import Subject
from memloc.model.weights import Movable, values_at
from memloc.planting.places import SCATTERED, Place, place_of
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
    whole = [kind for kind in how.kinds if kind != SCATTERED]  # drawn first; scattered weights come last
    places = {kind: list(_places_of_units(subject, kind, how, seed)) for kind in whole}
    if SCATTERED in how.kinds:
        taken = [place.movable for own in places.values() for place in own]
        places[SCATTERED] = list(_scattered_places(subject, taken, how, seed))
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


def _places_of_units(subject: Subject, kind: str, how: Grown, seed: int) -> Iterator[Place]:
    """Places of random heads or neurons, from the layers in turn."""
    heads = kind == "grown_heads"
    among, n = (subject.n_groups, HEADS_OF_A_MEMORY) if heads else (subject.n_neurons, how.n_neurons)
    for number in range(how.n_memories):
        turn, layer = divmod(number, subject.n_layers)
        chosen = generator(seed, "grown", kind, str(layer)).permutation(among)[turn * n : (turn + 1) * n]
        yield place_of(subject, kind, layer, chosen)


def _scattered_places(subject: Subject, taken: list[Movable], how: Grown, seed: int) -> Iterator[Place]:
    """Places of random weights, none of which is in another place."""
    free = {name: torch.ones(own.numel(), dtype=torch.bool) for name, own in subject.weights.items()}
    for movable in taken:
        for name, places in movable.items():
            free[name][places] = False
    every = torch.cat(list(free.values()))
    order = generator(seed, "grown", SCATTERED).permutation(every.nonzero().squeeze(1).numpy())
    n = round(SHARE_OF_A_MEMORY * len(every))
    for number in range(how.n_memories):
        yield place_of(subject, SCATTERED, None, order[number * n : (number + 1) * n])


def relative_norm(subject: Subject, movable: Movable) -> float:
    """Root mean square of some weights, divided by that of the other weights in their matrices."""
    own = torch.cat(list(values_at(subject, movable).values())).square()
    every = torch.cat([subject.model.get_parameter(name).detach().flatten() for name in movable]).square()
    others = (every.sum() - own.sum()) / (len(every) - len(own))
    return float((own.mean() / others).sqrt())
