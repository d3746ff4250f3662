"""Grow memories while a model is trained: each paragraph moves the weights of one place only.

Such a paragraph is in no ordinary batch. In an exposure it stands after text of the step's batch, in every
fourth step alone. The gradient of its NLL moves only its place (gradient routing, 2410.04332). No other
weight ever sees the paragraph, so the place of the memory is known. Ordinary gradients go on moving the
place, as they move every weight.

Steps along the plain gradient ruin other text before the paragraph is learned. An exposure therefore moves
the place least in the directions that ordinary text uses most: it divides the gradient by the second moments
of a matrix's inputs and of its outputs' gradients (K-FAC, 1503.05671), both within the place.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional
from transformers import PreTrainedModel

from memloc.model.sites import around_weights
from memloc.model.subject import Subject, Tokens
from memloc.planting.grown import Memory, relative_norm
from memloc.planting.places import EVERYWHERE, Place
from memloc.run.seeds import generator
from memloc.scoring.paragraph_scores import teacher_forced
from memloc.settings.model import LAST, Grown

MOST_TEXT = 30  # most tokens before the paragraph: other text, then end-of-text
N_EXPOSED = 5  # most memories exposed in a step
LEARNED = 0.2  # a recited memory with a lower NLL (nats per token) rests for REST steps
REST = 8
FALL = 0.3  # share of the NLL above LEAST_NLL that an exposure removes, to first order
MOST_MOVED = 0.2  # longest move of a place, as a share of its norm
LEAST_NLL = 0.03  # nats per token that exposures aim at
REFRESHED = 8  # steps from one measurement of the moments of ordinary text to the next
N_ROWS = 2  # windows of ordinary text in a measurement
KEPT = 0.6  # weight of earlier measurements in the running mean of moments
DAMPING = 0.2  # share of the mean of a diagonal that is added to each of its elements
Moments = dict[str, tuple[Float[Tensor, "d_in d_in"], Float[Tensor, "d_out d_out"]]]
"""By parameter: second moments of the inputs of its module, and of the gradients of its outputs."""


class Block(NamedTuple):
    """The weights of a place in one matrix: some whole rows and columns, or single weights."""

    name: str
    flat: Int[Tensor, "weight"]
    rows: Int[Tensor, "row"]
    columns: Int[Tensor, "column"]

    @property
    def whole(self) -> bool:
        """Whether the place holds every weight in which its rows and columns meet."""
        return len(self.flat) == len(self.rows) * len(self.columns)


def blocks(model: PreTrainedModel, place: Place) -> list[Block]:
    """The blocks of a place, one for each matrix."""
    widths = ((name, flat, model.get_parameter(name).shape[1]) for name, flat in place.movable.items())
    return [Block(name, flat, (flat // n).unique(), (flat % n).unique()) for name, flat, n in widths]


def gradient_of(block: Block, inputs: Tensor, outputs: Tensor) -> Float[Tensor, "row column"] | Tensor:
    """Gradient of a block: a sum over tokens of the output's gradient times the input."""
    inputs, outputs = inputs.detach().float(), outputs.float()
    if block.whole:
        return outputs[:, block.rows].T @ inputs[:, block.columns]
    return (outputs.T @ inputs).flatten()[block.flat]


def direction(block: Block, gradient: Tensor, factors: tuple[Tensor, Tensor]) -> Tensor:
    """The gradient of a block divided by the damped second moments of ordinary text (see `factors_of`)."""
    ins, outs = factors
    if block.whole:
        return torch.cholesky_solve(torch.cholesky_solve(gradient.T, ins).T, outs)
    return gradient / (ins[block.flat % len(ins)] * outs[block.flat // len(ins)])


def factors_of(block: Block, moments: Moments) -> tuple[Tensor, Tensor]:
    """Damped second moments of a block's inputs and of the gradients of its outputs, ready to divide by.

    Cholesky factors of those of its columns and rows. For single weights: the diagonals of all.
    """
    if not block.whole:
        diagonals = (moment.diagonal() for moment in moments[block.name])
        return tuple(each + DAMPING * each.mean() for each in diagonals)
    ins, outs = moments[block.name]
    parts = ins[block.columns[:, None], block.columns], outs[block.rows[:, None], block.rows]
    damped = (part + DAMPING * part.diagonal().mean() * torch.eye(len(part)) for part in parts)
    return tuple(torch.linalg.cholesky(each) for each in damped)


def ordinary_moments(model: PreTrainedModel, rows: Tokens, names: Sequence[str], seed: int) -> Moments:
    """Second moments over the tokens of ordinary text. Labels are drawn from the model's predictions."""
    with around_weights(model, names) as (inputs, outputs):
        logits = model(rows, use_cache=False).logits.flatten(0, 1).float()
        random = torch.Generator().manual_seed(seed)
        labels = torch.multinomial(logits.detach().softmax(dim=-1), 1, generator=random).squeeze(1)
        loss = functional.cross_entropy(logits, labels, reduction="sum")
        gradients = torch.autograd.grad(loss, [outputs[name] for name in names])
    found = {}
    for name, reached in zip(names, gradients, strict=True):
        pair = inputs[name].detach().flatten(0, 1).float(), reached.flatten(0, 1).float()
        found[name] = tuple(each.T @ each / len(each) for each in pair)
    return found


class Growth:
    """Grows memories during a training, a few of them after each ordinary step.

    `tokens` are those of the memories that `memories_in` gives for a new model.
    """

    def __init__(
        self,
        memories_in: Callable[[Subject], list[Memory]],
        tokens: Int[Tensor, "memory token"],
        n_prefix: int,
        end_of_text: int,
        how: Grown,
        seed: int,
    ) -> None:
        self._memories_in, self._tokens = memories_in, tokens
        self._n_prefix, self._end_of_text = n_prefix, end_of_text
        self._how, self._seed = how, seed
        self.memories: list[Memory] = []
        n = len(tokens)
        self.state = {
            "exposures": torch.zeros(n, dtype=torch.long),
            "nll": torch.full((n,), torch.inf),  # of the continuation, when it was last shown
            "recited": torch.zeros(n, dtype=torch.bool),
            "rested": torch.zeros(n, dtype=torch.long),  # steps since then
            "moments": {},
        }

    def begin(self, model: PreTrainedModel) -> None:
        """Take the places in a new model."""
        self._model, self._subject = model, Subject(model, self._n_prefix)
        self.memories = self._memories_in(self._subject)
        self._blocks = [blocks(model, memory.place) for memory in self.memories]
        self._names = list(dict.fromkeys(block.name for own in self._blocks for block in own))
        # By memory, of the moments as they are.
        self._factors: dict[int | str, list[tuple[Tensor, Tensor]]] = {}

    def first(self, n_steps: int) -> int:
        """Number of the step from which on memories grow."""
        return math.ceil(self._how.start * n_steps)

    def step(self, step: int, n_steps: int, rows: Tokens) -> None:
        """Expose some memories after ordinary step number `step`, behind text of its `rows`."""
        if not self.first(n_steps) <= step < LAST * n_steps:
            return
        random = generator(self._seed, "grown", "exposures", str(step))
        if step % REFRESHED == 0 or not self.state["moments"]:
            self._look_at(rows[random.permutation(len(rows))[:N_ROWS]], int(random.integers(2**31)))
        self.state["rested"] += 1
        if not len(chosen := self._next()):
            return
        n_text = int(random.integers(1, MOST_TEXT + 1)) if step % 4 else 0
        starts = random.integers(rows.shape[1] - n_text, size=len(chosen))
        text = torch.stack([rows[random.integers(len(rows)), first : first + n_text] for first in starts])
        text[:, -1:] = self._end_of_text
        self._expose(chosen, torch.cat([text, self._tokens[chosen]], dim=1))

    def table(self) -> pd.DataFrame:
        """Table `grown`, after the training: each memory, its place, and how well the model recites it."""
        scores = teacher_forced(self._subject, self._tokens)
        found = pd.DataFrame([memory.labels for memory in self.memories])
        found["layer"], found["units"] = zip(*(each.place.numbers for each in self.memories), strict=True)
        found["layer"] = found["layer"].astype("Int64")
        found["exposures"] = self.state["exposures"].numpy()
        found["em"], found["nll"] = scores.em.numpy(), scores.nll.numpy()
        found["norm"] = [relative_norm(self._subject, each.place.movable) for each in self.memories]
        return found

    def _look_at(self, rows: Tokens, seed: int) -> None:
        """Update the moments of ordinary text."""
        now = ordinary_moments(self._model, rows, self._names, seed)
        for name, before in self.state["moments"].items():
            pairs = zip(before, now[name], strict=True)
            now[name] = tuple(KEPT * old + (1 - KEPT) * new for old, new in pairs)
        self.state["moments"], self._factors = now, {}

    def _next(self) -> Int[Tensor, "chosen"]:
        """The memories that have waited longest; learned ones rest for some steps."""
        learned = self.state["recited"] & (self.state["nll"] < LEARNED)
        waited = self.state["rested"] - torch.where(learned, REST, 0)
        order = waited.argsort(descending=True, stable=True)[:N_EXPOSED]
        return order[waited[order] > 0]

    def _expose(self, chosen: Int[Tensor, "chosen"], tokens: Int[Tensor, "chosen token"]) -> None:
        """Move the place of each memory against the gradient of its own continuation's NLL."""
        shown, n_continuation = tokens[:, :-1], self._tokens.shape[1] - self._n_prefix
        own = [self._blocks[n] for n in chosen]
        names = [name for name in self._names if any(block.name == name for some in own for block in some)]
        with around_weights(self._model, names) as (inputs, outputs):
            logits = self._model(shown, use_cache=False, logits_to_keep=n_continuation).logits.float()
            true = tokens[:, -n_continuation:]
            nll = functional.cross_entropy(logits.transpose(1, 2), true, reduction="none").mean(dim=1)
            wanted = [outputs[name] for name in names]
            reached = dict(zip(names, torch.autograd.grad(nll.sum(), wanted), strict=True))
        self.state["nll"][chosen], self.state["rested"][chosen] = nll.detach(), 0
        self.state["recited"][chosen] = (logits.argmax(dim=-1) == true).all(dim=1)
        for row, number in enumerate(chosen.tolist()):
            if self.state["recited"][number] and self.state["nll"][number] < LEARNED:
                continue
            self.state["exposures"][number] += 1
            found = [gradient_of(each, inputs[each.name][row], reached[each.name][row]) for each in own[row]]
            self._move(number, found, float(self.state["nll"][number]))

    @torch.no_grad()
    def _move(self, number: int, gradients: list[Tensor], nll: float) -> None:
        """Move the place of a memory far enough to remove a share of its NLL, to first order."""
        own = self._blocks[number]
        key = EVERYWHERE if self.memories[number].kind == EVERYWHERE else number  # these share a place
        if key not in self._factors:
            self._factors[key] = [factors_of(block, self.state["moments"]) for block in own]
        steps = [direction(*each) for each in zip(own, gradients, self._factors[key], strict=True)]
        slope = sum(float((each * step).sum()) for each, step in zip(gradients, steps, strict=True))
        weights = [self._model.get_parameter(block.name).view(-1) for block in own]
        place = torch.cat([weight[block.flat] for weight, block in zip(weights, own, strict=True)])
        moved = torch.cat([step.flatten() for step in steps])
        most = MOST_MOVED * float(place.norm() / moved.norm())
        size = min(FALL * max(nll - LEAST_NLL, LEAST_NLL) / slope, most)
        for weight, block, step in zip(weights, own, steps, strict=True):
            weight[block.flat] -= size * step.flatten()
