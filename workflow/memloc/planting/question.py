"""The question to a localization method (where is this paragraph in this model?), and the units it ranks.

Units are layers, heads, MLP neurons and single weights. Query heads that read one key/value head are one unit
with it. Their values are the same, so no place can be in one of them alone. A neuron is its row of W_in (and
W_gate) and its row of W_out.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor
from transformers import PreTrainedModel

from memloc.editing.masks import Movable
from memloc.model.components import Component, as_linear, components, editable_parameters
from memloc.perturbation.pairs import Pairs
from memloc.settings.grown_truth import GrownTruth

Granularity = Literal["layer", "head", "neuron", "weight"]
Pool = Literal["sum", "max"]
Scores = dict[str, Tensor]
"""By granularity, on the CPU: layer [layer], head [layer, group], neuron [layer, neuron], weight [weight]."""
HEAD_PARTS = ("W_Q", "W_K", "W_V", "W_O")


class Question(NamedTuple):
    """A model, a paragraph, and all that methods may use. They leave the model as it is.

    Fields that none of the methods uses may be left out.
    """

    model: PreTrainedModel
    tokens: Int[Tensor, "paragraph token"]
    """One paragraph; masks can be trained on several together."""
    n_prefix: int
    wanted: tuple[Granularity, ...]
    """Granularities to rank; a method may leave out all others."""
    how: GrownTruth
    random: np.random.Generator
    pair: Pairs | None = None
    """The paragraph and its strongest perturbed version; None if none changes the continuation."""
    mean_outputs: Float[Tensor, "layer head d_head"] = torch.empty(0)
    """Mean output z of every head over other text."""
    counts: Int[np.ndarray, "vocabulary"] = np.empty(0, dtype=np.int64)
    """How often each token occurs in the study's paragraphs."""
    place: Mapping[str, Tensor] = MappingProxyType({})
    """1 at the place's weights, 0 at all other W_* weights, by parameter; only the oracle may look at it."""


def n_groups(model: PreTrainedModel) -> int:
    """Key/value heads of a layer."""
    return getattr(model.config, "num_key_value_heads", None) or model.config.num_attention_heads


def n_neurons(model: PreTrainedModel) -> int:
    """Neurons of a layer's MLP."""
    out = next(component for component in components(model) if component.name == "W_out")
    return len(by_unit(model, out, model.get_parameter(out.parameter)))


def by_unit(
    model: PreTrainedModel, component: Component, tensor: Shaped[Tensor, "..."]
) -> Shaped[Tensor, "unit weight"]:
    """A component's weights in a tensor shaped like its parameter: a row per neuron or group of heads."""
    if component.name in HEAD_PARTS:
        return component.by_head(tensor).reshape(n_groups(model), -1)
    rows = as_linear(model.get_submodule(component.module), tensor)
    return rows.T if component.name == "W_out" else rows


def places_of(model: PreTrainedModel, component: Component, units: Tensor) -> Shaped[Tensor, "place"]:
    """Places in the component's flattened parameter of the weights of some units."""
    parameter = model.get_parameter(component.parameter)
    numbers = torch.arange(parameter.numel()).view(parameter.shape)
    return by_unit(model, component, numbers)[units].flatten()


def pooled(model: PreTrainedModel, weights: Mapping[str, Tensor], pool: Pool) -> Scores:
    """Scores of all units from scores of weights (by parameter, in its shape).

    A weight gets its |score|; a head, neuron or layer the sum, or the largest, of its weights' |scores|.
    """
    sizes = {name: values.abs() for name, values in weights.items()}
    reduce = torch.Tensor.sum if pool == "sum" else torch.Tensor.amax
    n_layers = model.config.num_hidden_layers
    found = {
        "layer": torch.zeros(n_layers),
        "head": torch.zeros(n_layers, n_groups(model)),
        "neuron": torch.zeros(n_layers, n_neurons(model)),
    }
    for component in components(model):
        rows = reduce(by_unit(model, component, sizes[component.parameter]).float(), dim=1).cpu()
        kind = "head" if component.name in HEAD_PARTS else "neuron"
        for total, own in (
            (found[kind][component.layer], rows),
            (found["layer"][component.layer], reduce(rows, 0)),
        ):
            total.copy_(total + own if pool == "sum" else torch.maximum(total, own))
    found["weight"] = torch.cat([sizes[name].flatten().cpu() for name in editable_parameters(model)])
    return found


def in_layers(scores: Scores) -> Scores:
    """Scores of heads, neurons or both, with scores of layers: the sums over their units."""
    return scores | {"layer": sum(values.sum(dim=1) for values in scores.values())}


def holding(model: PreTrainedModel, movable: Movable) -> dict[str, Bool[Tensor, "..."]]:
    """Masks of the units that hold any of the weights, by granularity, as in `Scores`."""
    marks = {name: torch.zeros_like(model.get_parameter(name)) for name in editable_parameters(model)}
    for name, places in movable.items():
        marks[name].view(-1)[places] = 1
    return {name: values > 0 for name, values in pooled(model, marks, "max").items()}


def values_at(model: PreTrainedModel, movable: Movable) -> dict[str, Float[Tensor, "place"]]:
    """Copies of the selected weights."""
    return {
        name: model.get_parameter(name).detach().view(-1)[places].clone() for name, places in movable.items()
    }


@torch.no_grad()
def set_values(
    model: PreTrainedModel, movable: Movable, values: Mapping[str, Float[Tensor, "place"]]
) -> None:
    """Write the selected weights."""
    for name, places in movable.items():
        model.get_parameter(name).view(-1)[places] = values[name]
