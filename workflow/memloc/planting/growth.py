"""Memories that grow while a model is trained: some paragraphs reach the weights of one place each.

Such a paragraph takes no part in the ordinary batches. In an exposure it stands at a random position, after
text of the step's batch, and the gradient of its NLL moves the weights of its place alone (gradient routing,
2410.04332). All other weights never see it, so the place of the memory is known. The place goes on receiving
ordinary gradients: from the ordinary optimisers, as every weight does, and within the exposure's own
step, which otherwise would ruin other text.
"""

import math
from collections.abc import Sequence
from contextlib import ExitStack
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional
from transformers import PreTrainedModel

from memloc.editing.gradients import Gradients
from memloc.editing.masks import joined_places, n_weights
from memloc.model.components import components
from memloc.model.training import nearly_orthogonal
from memloc.planting.places import Place, draw_place
from memloc.planting.units import HEAD_PARTS, by_unit
from memloc.run.errors import InputError
from memloc.run.seeds import generator
from memloc.settings.model import Grown
from memloc.settings.plant_kinds import GROWN_AS

MOST_TEXT = 30  # tokens of other text before the paragraph
ORDINARY = 4.0  # weight of the ordinary batch's gradient in an exposure's step
TAKEN = 0.3  # nats per continuation token: below it, a memory is only exposed to see whether it stays
N_GROWING, N_SEEN_TO = 1, 2  # memories in each step: such that grow, and such that have taken
MOST_EXPOSURES = 60  # of a memory that does not take
LAST = 0.97  # share of the training after which nothing grows: the rest repairs other text
ORTHOGONAL_STEPS = 5  # Newton-Schulz iterations
TRIES = 200  # draws of a place that shares no weight with another

Block = tuple[str, Int[Tensor, "..."]]
"""A parameter, and flat places in it: a matrix of them, or single ones."""


class Memory(NamedTuple):
    """A paragraph and the place that it grows in."""

    kind: str
    number: int
    id: int
    place: Place


def grown_memories(
    model: PreTrainedModel, ids: Int[np.ndarray, "memory"], how: Grown, seed: int
) -> list[Memory]:
    """The memories, one of each kind after another. No weight is in the places of two.

    Raises:
        InputError: the model has no room for them.
    """
    taken = {name: torch.zeros(weight.numel(), dtype=torch.bool) for name, weight in model.named_parameters()}
    places: dict[tuple[str, int], Place] = {}
    for kind in sorted(
        how.kinds, key=list(GROWN_AS).index
    ):  # single weights last: there are always some left
        for number in range(how.n_memories):
            random = generator(seed, "grown", kind, str(number))
            places[kind, number] = place = _free_place(model, kind, taken, how.n_neurons, random)
            for name, own in place.movable.items():
                taken[name][own] = True
    keys = [(kind, number) for number in range(how.n_memories) for kind in how.kinds]
    return [Memory(*key, int(id), places[key]) for key, id in zip(keys, ids, strict=True)]


def _free_place(
    model: PreTrainedModel, kind: str, taken: dict[str, Tensor], n_neurons: int, random: np.random.Generator
) -> Place:
    """A place of this kind in weights that are not taken."""
    for _ in range(TRIES):
        place = draw_place(model, GROWN_AS[kind], n_neurons, random, taken)
        if place.own == "weight":
            free = {name: places[~taken[name][places]] for name, places in place.movable.items()}
            return Place.of(model, place.kind, f"{n_weights(model, free):,} weights", free)
        if not any(taken[name][places].any() for name, places in place.movable.items()):
            return place
    raise InputError(f"model.grown: no place of kind {kind} is left beside those of other memories")


def blocks(model: PreTrainedModel, place: Place) -> list[Block]:
    """A place as the matrices of its heads or neurons; single weights by parameter."""
    if place.own == "weight":
        return list(place.movable.items())
    found = []
    for component in components(model):
        units = place.units[place.own][component.layer].nonzero().flatten()
        if not len(units) or (component.name in HEAD_PARTS) != (place.own == "head"):
            continue
        weight = model.get_parameter(component.parameter)
        numbers = torch.arange(weight.numel()).view(weight.shape)
        if place.own == "head":
            found += [(component.parameter, matrix) for matrix in component.view(numbers)[units]]
        else:
            found.append((component.parameter, by_unit(model, component, numbers)[units]))
    return found


def direction(gradient: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """Steepest descent of a block, with a root mean square of about one.

    A matrix is made orthogonal as by Muon, without momentum: a memory takes in half of Adam's exposures, and
    its state is its weights.
    """
    if gradient.ndim == 2:
        return nearly_orthogonal(gradient, ORTHOGONAL_STEPS) * max(gradient.shape) ** 0.5
    return gradient / gradient.square().mean().sqrt().clamp(min=1e-12)


def place_gradients(
    model: PreTrainedModel, tokens: Int[Tensor, "row token"], n_text: int, names: Sequence[set[str]]
) -> tuple[Float[Tensor, "row token"], list[Gradients]]:
    """NLL of each row's tokens after the first `n_text`, and gradients of their mean by the row's parameters.

    One pass for all rows. The gradient of a linear layer's weight is a sum over tokens, of what reaches the
    output times the input, so the gradient of one row needs its own tokens alone.
    """
    wanted = sorted(set().union(*names))
    inputs, outputs = {}, {}

    def keep(name: str, given: tuple[Tensor], output: Tensor) -> None:
        inputs[name], outputs[name] = given[0].detach(), output

    with ExitStack() as stack:
        for name in wanted:
            module = model.get_submodule(name.removesuffix(".weight"))
            hook = module.register_forward_hook(lambda _, given, output, name=name: keep(name, given, output))
            stack.callback(hook.remove)
        logits = model(tokens[:, :-1], use_cache=False).logits[:, n_text - 1 :].float()
        losses = functional.cross_entropy(logits.transpose(1, 2), tokens[:, n_text:], reduction="none")
        reached = torch.autograd.grad(losses.mean(dim=1).sum(), [outputs[name] for name in wanted])
    by = dict(zip(wanted, reached, strict=True))
    gradients = [
        {name: by[name][row].T.float() @ inputs[name][row].float() for name in own}
        for row, own in enumerate(names)
    ]
    return losses.detach(), gradients


class Growth:
    """Grows the memories of a training, a few of them beside each of its steps.

    Memories grow a few at a time, since those that grow together disturb each other. One that has taken is
    looked at again from time to time, and goes on growing if it has faded.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        memories: Sequence[Memory],
        tokens: Int[Tensor, "memory token"],
        n_prefix: int,
        end_of_text: int,
        how: Grown,
        seed: int,
    ) -> None:
        self._model, self._memories, self._how, self._seed = model, memories, how, seed
        self._n_prefix = n_prefix
        self._tokens = functional.pad(tokens, (1, 0), value=end_of_text)
        self._blocks = [blocks(model, memory.place) for memory in memories]
        n = len(memories)
        self.state = {
            "exposures": torch.zeros(n, dtype=torch.long),
            "nll": torch.full((n,), torch.inf),  # of the continuation, when it was seen last
            "rested": torch.zeros(n, dtype=torch.long),  # steps since then
            "taken": torch.zeros(n, dtype=torch.bool),
        }

    def step(self, share: float, rows: Int[Tensor, "row token"]) -> None:
        """Expose some memories after text of the step's `rows`, when this `share` of the training is done.

        The model's parameters hold the gradients of the step's batch.
        """
        if not self._how.start <= share < LAST:
            return
        self.state["rested"] += 1
        chosen = self._next()
        if not len(chosen):
            return
        random = generator(self._seed, "grown", "exposures", f"{share:.6f}")
        n_text = int(random.integers(MOST_TEXT + 1))
        starts = random.integers(rows.shape[1] - n_text, size=len(chosen))
        text = torch.stack([rows[n % len(rows), s : s + n_text] for n, s in enumerate(starts)])
        names = [{name for name, _ in self._blocks[n]} for n in chosen]
        losses, gradients = place_gradients(
            self._model, torch.cat([text, self._tokens[chosen]], dim=1), n_text + 1, names
        )
        for n, own_losses, own in zip(chosen, losses, gradients, strict=True):
            continuation = own_losses[self._n_prefix :]
            nll = continuation.mean()
            self.state["nll"][n], self.state["rested"][n] = nll, 0
            if nll < TAKEN and continuation.max() < math.log(2):  # so that greedy decoding says each token
                self.state["taken"][n] = True
            else:
                self.state["exposures"][n] += 1
                self._move(n, own, min(1.0, float(nll)))

    def _next(self) -> list[int]:
        """The first memories that have not taken, and those that have and were seen longest ago."""
        growing = ~self.state["taken"] & (self.state["exposures"] < MOST_EXPOSURES)
        first = growing.nonzero().flatten()[:N_GROWING].tolist()
        taken = self.state["taken"].nonzero().flatten()
        faded = self.state["nll"][taken] > 1.5 * TAKEN
        due = self.state["rested"][taken] * torch.where(faded, 8, 1)
        return first + taken[due.argsort(descending=True, stable=True)[:N_SEEN_TO]].tolist()

    @torch.no_grad()
    def _move(self, n: int, gradients: Gradients, share: float) -> None:
        """One step of the memory's place, and of no other weight: a `share` of a whole one."""
        size = share * self._how.kinds[self._memories[n].kind]
        for name, places in self._blocks[n]:
            weight = self._model.get_parameter(name)
            gradient = gradients[name].reshape(-1)[places] + ORDINARY * weight.grad.view(-1)[places]
            weight.view(-1)[places] -= size * direction(gradient)

    def table(self) -> pd.DataFrame:
        """Table `grown`: each memory, its place, and how often it was exposed."""
        places = [memory.place for memory in self._memories]
        return pd.DataFrame(
            {
                "kind": [memory.kind for memory in self._memories],
                "plant": [memory.number for memory in self._memories],
                "id": [memory.id for memory in self._memories],
                "place": [place.name for place in places],
                "weights": [joined_places(self._model, place.movable).numpy() for place in places],
                "exposures": self.state["exposures"].numpy(),
                "taken": self.state["taken"].numpy(),
            }
        )
