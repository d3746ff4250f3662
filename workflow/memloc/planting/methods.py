"""Ask localization methods where a paragraph is. `settings/methods.py` lists them."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from memloc.planting import activation_methods, head_methods, masks, weight_methods
from memloc.planting.question import Question
from memloc.planting.units import Granularity, Scores
from memloc.settings.methods import ENSEMBLE, METHODS

# A method is the function of its name in one of these: from a question to scores, larger: more likely here.
MODULES = (weight_methods, activation_methods, head_methods, masks)


class Answer(NamedTuple):
    """What a method says of all units of one granularity, with the seconds of all its granularities."""

    method: str
    granularity: Granularity
    scores: Tensor
    seconds: float


def function_of(method: str) -> Callable[[Question], Scores]:
    """The function that answers for a method."""
    return next(vars(module)[method] for module in MODULES if method in vars(module))


def answers(question: Question) -> Iterator[Answer]:
    """What every method that can rank the first of the wanted units says, and their mean rank (`ensemble`),
    which takes the seconds of all of them."""
    ranks: dict[Granularity, list[Tensor]] = {}
    total = 0.0
    for name, method in METHODS.items():
        if not method.asked(question.how) or question.wanted[0] not in method.units:
            continue
        begin = time.perf_counter()
        scores = function_of(name)(question)
        seconds = time.perf_counter() - begin
        for granularity in question.wanted:
            if granularity in scores:
                found = scores[granularity].flatten()
                yield Answer(name, granularity, found, seconds)
                if method.in_ensemble and granularity != "weight":
                    ranks.setdefault(granularity, []).append(mid_ranks(found))
        total += seconds if method.in_ensemble else 0.0
    for granularity, found in ranks.items():
        yield Answer(ENSEMBLE, granularity, -torch.stack(found).mean(dim=0), total)


def head_scores(question: Question, methods: Sequence[str]) -> pd.DataFrame:
    """What methods say of every key/value head.

    Returns:
        Columns method, layer, head and score; no rows of a method that needs a pair where there is none.
    """
    frames = [pd.DataFrame(columns=["method", "layer", "head", "score"])]
    for name in methods:
        if (scores := function_of(name)(question).get("head")) is not None:
            layer, head = np.indices(scores.shape).reshape(2, -1)
            own = {"layer": layer, "head": head, "score": scores.flatten().double().numpy()}
            frames.append(pd.DataFrame({"method": name, **own}))
    return pd.concat(frames[1:] or frames)


def mid_ranks(
    scores: Float[Tensor, "unit"], chosen: Float[Tensor, "chosen"] | None = None
) -> Float[Tensor, "chosen"]:
    """Rank among all scores of each one, or of the chosen ones, 1 = largest; ties share their mean rank."""
    ascending, own = np.sort(scores.numpy()), (scores if chosen is None else chosen).numpy()
    before, until = (np.searchsorted(ascending, own, side=side) for side in ("left", "right"))
    return torch.from_numpy(len(ascending) - (before + until - 1) / 2)
