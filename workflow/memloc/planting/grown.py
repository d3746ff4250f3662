"""Memories that grew in a model while it was trained, as methods are asked about them."""

from typing import Any, NamedTuple

import pandas as pd
import torch
from jaxtyping import Int
from torch import Tensor
from transformers import PreTrainedModel

from memloc.editing.masks import n_weights, split_weights
from memloc.model.components import editable_parameters
from memloc.planting.places import Place
from memloc.planting.units import values_at
from memloc.scoring.paragraph_scores import teacher_forced
from memloc.settings.plant_kinds import GROWN_AS


class Grown(NamedTuple):
    """A memory: its paragraph, its place, and its row of table `plants`."""

    tokens: Int[Tensor, "1 token"]
    place: Place
    row: dict[str, Any]


def stored_place(model: PreTrainedModel, memory: Any) -> Place:
    """The place of a row of table `grown`."""
    parameters = {name: model.get_parameter(name) for name in editable_parameters(model)}
    movable = split_weights(torch.tensor(memory.weights), parameters)
    return Place.of(model, GROWN_AS[memory.kind], memory.place, movable)


def grown_plants(
    model: PreTrainedModel, grown: pd.DataFrame, tokens: pd.Series, n_prefix: int, rates: dict[str, float]
) -> list[Grown]:
    """The memories of table `grown`, and how well the model recites them; `tokens` of paragraphs by id."""
    found = []
    for memory in grown.itertuples():
        own, place = torch.tensor(tokens.loc[[memory.id]].to_list()), stored_place(model, memory)
        scores = teacher_forced(model, own, n_prefix, 1)
        row = {
            "kind": memory.kind,
            "plant": memory.plant,
            "attempt": 0,
            "id": memory.id,
            "place": place.name,
            "n_layers": len(place.layers),
            "norm": relative_norm(model, place),
            "learning_rate": rates[memory.kind],
            "reached": int(scores.em) == own.shape[1] - n_prefix,
            "steps": memory.exposures,
            "em": int(scores.em),
            "nll": float(scores.nll),
            "n_allowed": n_weights(model, place.movable),
        }
        found.append(Grown(own, place, row))
    return found


def relative_norm(model: PreTrainedModel, place: Place) -> float:
    """Root mean square of a place's weights, divided by that of all weights in its matrices."""
    own = torch.cat(list(values_at(model, place.movable).values()))
    peers = torch.cat([model.get_parameter(name).detach().flatten() for name in place.movable])
    return float(own.square().mean().sqrt() / peers.square().mean().sqrt())
