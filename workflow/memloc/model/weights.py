"""Choices of a model's W_* weights: their values, the units that hold them, and the original ones back.

A choice holds the places of weights in flattened parameters, by the parameter's name. Only W_* weights are
ever chosen: no bias, LayerNorm or embedding (paper 5.2). Units are layers, heads, MLP neurons and single
weights. Query heads that read one key/value head are one unit with it, because their values are the same.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from memloc.model.components import HEAD_PARTS
from memloc.model.subject import Subject
from memloc.run.errors import UserError

EVERY = slice(None)
Movable = dict[str, Int[Tensor, "weight"] | slice]
"""Parameter name -> ascending flat places of the selected weights, or `EVERY`: the whole parameter."""
Granularity = Literal["layer", "head", "neuron", "weight"]
UnitScores = dict[str, Tensor]
"""By granularity, on the CPU: layer [layer], head [layer, group], neuron [layer, neuron], weight [weight]."""


class EditError(UserError, RuntimeError):
    """A weight outside the mask has changed, a weight is not finite, or too few weights have changed."""


def all_weights(subject: Subject) -> Movable:
    """Every W_* weight."""
    return dict.fromkeys(subject.weights, EVERY)


def n_weights(subject: Subject, movable: Movable) -> int:
    """Number of selected weights."""
    return sum(len(_flat(subject, name)[places]) for name, places in movable.items())


def split_weights(chosen: Int[Tensor, "weight"], tensors: Mapping[str, Tensor]) -> Movable:
    """Turn places in the flattened and joined tensors into places in each tensor, on its device."""
    chosen = chosen.sort().values
    selected, start = {}, 0
    for name, tensor in tensors.items():
        within = chosen[(chosen >= start) & (chosen < start + tensor.numel())] - start
        if len(within):
            selected[name] = within.to(tensor.device)
        start += tensor.numel()
    return selected


def values_at(subject: Subject, movable: Movable) -> dict[str, Float[Tensor, "weight"]]:
    """Copies of the selected weights."""
    return {name: _flat(subject, name)[places].clone() for name, places in movable.items()}


def set_values(subject: Subject, movable: Movable, values: Mapping[str, Float[Tensor, "weight"]]) -> None:
    """Write the selected weights."""
    for name, places in movable.items():
        _flat(subject, name)[places] = values[name]


def _flat(subject: Subject, name: str) -> Float[Tensor, "weight"]:
    """View of a parameter."""
    return subject.model.get_parameter(name).detach().view(-1)


def marked(subject: Subject, movable: Movable) -> dict[str, Float[Tensor, "..."]]:
    """1 at the selected weights, 0 at the other W_* weights, by parameter."""
    marks = {name: torch.zeros_like(weight) for name, weight in subject.weights.items()}
    for name, places in movable.items():
        marks[name].view(-1)[places] = 1
    return marks


def of_units(subject: Subject, units: dict[int, Int[Tensor, "unit"]], names: tuple[str, ...]) -> Movable:
    """The weights of some units (by layer) in the components of these names."""
    found: dict[str, list[Tensor]] = {}
    for own in subject.components:
        if own.name in names and own.layer in units:
            parameter = subject.model.get_parameter(own.parameter)
            numbers = torch.arange(parameter.numel()).view(parameter.shape)
            places = subject.by_unit(own, numbers)[units[own.layer]].flatten()
            found.setdefault(own.parameter, []).append(places.to(parameter.device))
    return {name: torch.cat(places).sort().values for name, places in found.items()}


def pooled(subject: Subject, weights: Mapping[str, Tensor], pool: Literal["sum", "max"]) -> UnitScores:
    """Scores of all units from scores of weights (by parameter, in its shape).

    A weight gets its |score|; a head, neuron or layer the sum, or the largest, of its weights' |scores|.
    """
    sizes = {name: values.abs() for name, values in weights.items()}
    reduce = torch.Tensor.sum if pool == "sum" else torch.Tensor.amax
    found = {
        "layer": torch.zeros(subject.n_layers),
        "head": torch.zeros(subject.n_layers, subject.n_groups),
        "neuron": torch.zeros(subject.n_layers, subject.n_neurons),
    }
    for own in subject.components:
        rows = reduce(subject.by_unit(own, sizes[own.parameter]).float(), dim=1).cpu()
        kind = "head" if own.name in HEAD_PARTS else "neuron"
        for total, more in ((found[kind][own.layer], rows), (found["layer"][own.layer], reduce(rows, 0))):
            total.copy_(total + more if pool == "sum" else torch.maximum(total, more))
    found["weight"] = torch.cat([sizes[name].flatten().cpu() for name in subject.weights])
    return found


def holding(subject: Subject, movable: Movable) -> dict[str, Bool[Tensor, "..."]]:
    """Masks of the units that hold any of the weights, by granularity, as in `UnitScores`."""
    return {name: found > 0 for name, found in pooled(subject, marked(subject, movable), "max").items()}


class Original:
    """A copy of all of a model's weights, with which the changed ones are compared."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self.weights = {name: weight.detach().clone() for name, weight in subject.model.named_parameters()}

    @torch.no_grad()
    def restore(self) -> None:
        """Make the model the original one again, bit for bit."""
        for name, weight in self._subject.model.named_parameters():
            weight.copy_(self.weights[name])

    @torch.no_grad()
    def n_changed(self, movable: Movable) -> int:
        """Number of weights that differ from the original ones.

        Raises:
            EditError: one of them is not among the `movable` ones, or is not finite.
        """
        n_changed = 0
        for name, weight in self._subject.model.named_parameters():
            if torch.equal(weight, self.weights[name]):
                continue
            changed = (weight != self.weights[name]).flatten()
            n_changed += int(changed.sum())
            if name in movable:
                changed[movable[name]] = False
            if changed.any():
                raise EditError(f"{name}: {int(changed.sum())} weights changed outside of the mask")
            if not weight.isfinite().all():
                raise EditError(f"{name}: weights are not finite any more; take a smaller learning rate")
        return n_changed


@contextmanager
def moved(subject: Subject, movable: Movable) -> Iterator[None]:
    """A context in which the selected weights may change; afterwards they are what they were before.

    They alone are copied. If others changed, they would stay so: where that is to be found out, use `edited`.
    """
    values = values_at(subject, movable)
    try:
        yield
    finally:
        set_values(subject, movable, values)


@contextmanager
def edited(subject: Subject) -> Iterator[Original]:
    """A context in which weights may change; afterwards the model has its weights from before again."""
    original = Original(subject)
    try:
        yield original
    finally:
        original.restore()
