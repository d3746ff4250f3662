"""What a ranking's first units do: revert them alone, or plant them alone (2504.13151).

The place holds all that planting changed, so only its weights matter: a unit is reverted by giving its
planted weights their former values. With m the mean log-probability of the continuation, a part of the
plant is faithful to the share

    f = (m(part) - m(unplanted)) / (m(planted) - m(unplanted))
"""

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import PreTrainedModel

from memloc.model.components import components, editable_parameters
from memloc.model.partial_forward import Call, recorded_calls, states_from
from memloc.planting.methods import mid_ranks
from memloc.planting.places import Place
from memloc.planting.units import HEAD_PARTS, by_unit, set_values
from memloc.scoring.teacher_forcing import score_tokens

SHARES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # of all units, as in 2504.13151
KEPT = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01)  # of the place's weights
Values = Mapping[str, Float[Tensor, "place"]]


class Plant(NamedTuple):
    """A plant whose weights can be mixed with those before it."""

    model: PreTrainedModel
    place: Place
    before: Values
    after: Values
    calls: list[Call]
    true: Int[Tensor, "1 continuation"]
    n_prefix: int

    @classmethod
    def of(
        cls,
        model: PreTrainedModel,
        tokens: Tensor,
        n_prefix: int,
        place: Place,
        before: Values,
        after: Values,
    ):
        """A plant of one paragraph [1, token]."""
        true = tokens[:, n_prefix:].to(model.device)
        return cls(model, place, before, after, recorded_calls(model, tokens), true, n_prefix)

    @torch.inference_mode()
    def with_weights(self, planted: Mapping[str, Tensor]) -> tuple[float, bool]:
        """NLL (nats per token), and whether all is recited, with these weights of the place (masks)
        planted."""
        first = self.place.layers[0]
        mixed = {name: torch.where(planted[name], self.after[name], self.before[name]) for name in planted}
        set_values(self.model, self.place.movable, mixed)
        states = states_from(self.model, self.calls, first, self.calls[first].residual)
        found = score_tokens(self.model, states[:, self.n_prefix - 1 :], self.true)
        set_values(self.model, self.place.movable, self.after)
        return float(found.nll.mean()), bool(found.matched.all())


def curves(plant: Plant, scores: Float[Tensor, "..."]) -> pd.DataFrame:
    """Faithfulness with the first units of a ranking planted alone, and with all but these.

    Columns: share (of all units, one unit at least), kept (these alone) and left (all others).
    """
    ranks, n_units, known = _rank_of_weights(plant, scores), scores.numel(), {}

    def faithfulness(limit: float, first: bool) -> float:
        planted = {name: (own <= limit) == first for name, own in ranks.items()}
        n_planted = sum(int(mask.sum()) for mask in planted.values())
        if (first, n_planted) not in known:
            known[first, n_planted] = plant.with_weights(planted)[0]
        return known[first, n_planted]

    nothing, everything = faithfulness(0, True), faithfulness(n_units, True)
    rows = []
    for share in SHARES:
        limit = max(1.0, share * n_units)
        values = {name: faithfulness(limit, first) for name, first in (("kept", True), ("left", False))}
        rows.append(
            {"share": share}
            | {name: (nothing - nll) / (nothing - everything) for name, nll in values.items()}
        )
    return pd.DataFrame(rows)


def n_needed(plant: Plant) -> int:
    """Weights of the smallest part that still recites: the largest changes, fewer at each step (`KEPT`).

    An upper bound: another part may be smaller.
    """
    changes = {name: (plant.after[name] - own).abs() for name, own in plant.before.items()}
    ordered = torch.cat([*changes.values()]).sort(descending=True).values
    needed = len(ordered)
    for share in KEPT:
        n = max(1, round(share * len(ordered)))
        if not plant.with_weights({name: own >= ordered[n - 1] for name, own in changes.items()})[1]:
            break
        needed = n
    return needed


def _rank_of_weights(plant: Plant, scores: Float[Tensor, "..."]) -> dict[str, Float[Tensor, "place"]]:
    """Rank of the unit of each of the place's weights, 1 = first."""
    model, own, movable = plant.model, plant.place.own, plant.place.movable
    if own == "weight":
        sizes = {name: model.get_parameter(name).numel() for name in editable_parameters(model)}
        flat = dict(zip(sizes, scores.split([*sizes.values()]), strict=True))
        chosen = {name: flat[name][places.cpu()] for name, places in movable.items()}
        ranks = mid_ranks(scores, torch.cat([*chosen.values()])).to(model.device)
        return dict(zip(movable, ranks.split([len(own) for own in chosen.values()]), strict=True))
    by_layer, found = mid_ranks(scores.flatten()).view(scores.shape), {}
    for component in components(model):
        if component.parameter in movable and (component.name in HEAD_PARTS) == (own == "head"):
            parameter = model.get_parameter(component.parameter)
            ranks = found.setdefault(component.parameter, torch.zeros(parameter.numel(), dtype=torch.double))
            places = by_unit(model, component, torch.arange(parameter.numel()).view(parameter.shape))
            ranks[places.flatten()] = by_layer[component.layer].repeat_interleave(places.shape[1])
    return {name: ranks[movable[name].cpu()].to(model.device) for name, ranks in found.items()}
