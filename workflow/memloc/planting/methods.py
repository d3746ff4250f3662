"""The registry of localization methods: a function, and the units that it scores.

To test a method of your own, add a line here (docs/methods.md shows how).
"""

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from memloc.planting import activation_methods, head_methods, masks, weight_methods
from memloc.planting.question import Question
from memloc.planting.units import Granularity, Scores
from memloc.settings.planted_truth import PlantedTruth

ENSEMBLE = "ensemble"  # mean rank of the methods
NOT_IN_ENSEMBLE = ("weight_size", "random", "change")  # they know nothing of the paragraph, or the answer

EVERY: tuple[Granularity, ...] = ("layer", "head", "neuron", "weight")
UNITS: tuple[Granularity, ...] = ("layer", "head", "neuron")
HEADS: tuple[Granularity, ...] = ("layer", "head")
NEURONS: tuple[Granularity, ...] = ("layer", "neuron")


class Method(NamedTuple):
    """A function from a question to scores (larger: more likely here), and the units that it can score."""

    ask: Callable[[Question], Scores]
    granularities: tuple[Granularity, ...]
    asked: Callable[[PlantedTruth], bool] = lambda how: True


METHODS: dict[str, Method] = {
    "gradient_largest": Method(weight_methods.gradient_largest, EVERY),
    "gradient_summed": Method(weight_methods.gradient_summed, EVERY),
    "gradient_x_weight": Method(weight_methods.gradient_x_weight, EVERY),
    "activation_gradient": Method(activation_methods.activation_gradient, UNITS),
    "gradient_x_activation": Method(activation_methods.gradient_x_activation, UNITS),
    "integrated_gradients": Method(activation_methods.integrated_gradients, UNITS),
    "attribution_patching": Method(activation_methods.attribution_patching, UNITS),
    "patching": Method(head_methods.patching, HEADS),
    "zero_ablation": Method(head_methods.zero_ablation, HEADS),
    "mean_ablation": Method(head_methods.mean_ablation, HEADS),
    "neuron_ablation": Method(activation_methods.neuron_ablation, NEURONS, lambda how: how.neuron_ablation),
    "rare_tokens": Method(head_methods.rare_tokens, HEADS),
    "hard_concrete": Method(masks.hard_concrete, UNITS, lambda how: how.masks),
    "slimming": Method(masks.slimming, UNITS, lambda how: how.masks),
    "weight_size": Method(weight_methods.weight_size, EVERY),
    "random": Method(weight_methods.at_random, EVERY),
    "change": Method(weight_methods.change, EVERY),
}


class Answer(NamedTuple):
    """What a method says of all units of one granularity, with the seconds of all its granularities."""

    method: str
    granularity: Granularity
    scores: Tensor
    seconds: float


def answers(question: Question) -> Iterator[Answer]:
    """What every method that can rank the first of the wanted units says, and their mean rank (`ensemble`),
    which takes the seconds of all of them."""
    ranks: dict[Granularity, list[Tensor]] = {}
    total = 0.0
    for name, method in METHODS.items():
        if not method.asked(question.how) or question.wanted[0] not in method.granularities:
            continue
        begin = time.perf_counter()
        scores = method.ask(question)
        seconds = time.perf_counter() - begin
        for granularity in question.wanted:
            if granularity in scores:
                found = scores[granularity].flatten()
                yield Answer(name, granularity, found, seconds)
                if name not in NOT_IN_ENSEMBLE and granularity != "weight":
                    ranks.setdefault(granularity, []).append(mid_ranks(found))
        total += seconds if name not in NOT_IN_ENSEMBLE else 0.0
    for granularity, found in ranks.items():
        yield Answer(ENSEMBLE, granularity, -torch.stack(found).mean(dim=0), total)


def mid_ranks(
    scores: Float[Tensor, "unit"], chosen: Float[Tensor, "chosen"] | None = None
) -> Float[Tensor, "chosen"]:
    """Rank among all scores of each one, or of the chosen ones, 1 = largest; ties share their mean rank."""
    ascending, own = np.sort(scores.numpy()), (scores if chosen is None else chosen).numpy()
    before, until = (np.searchsorted(ascending, own, side=side) for side in ("left", "right"))
    return torch.from_numpy(len(ascending) - (before + until - 1) / 2)
