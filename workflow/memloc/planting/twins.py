"""Is a grown memory where it grew? Places are exchanged between a model and its twins.

The swap twin is trained on the same text in the same order. The same paragraphs grow in it, but each in the
place of another one. In the other twin nothing grows. Until memories grow, all three are the same model.
"""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd
from jaxtyping import Int
from torch import Tensor

from memloc.model.subject import Subject
from memloc.model.weights import moved, set_values, values_at
from memloc.planting.grown import Memory, relative_norm, swapped_memories
from memloc.scoring.paragraph_scores import teacher_forced


class Family(NamedTuple):
    """A model in which memories grew, and its twins."""

    own: Subject
    swapped: Subject
    never: Subject
    before: Subject
    """The model before memories grew."""


def twins_table(
    family: Family, memories: Sequence[Memory], tokens: Int[Tensor, "memory token"]
) -> pd.DataFrame:
    """Table `twins`: memories of the model and of its swap twin, and their NLL with exchanged weights.

    `memories` are those of the model, and `tokens` theirs.
    NLLs are in nats per token of the continuation. At the end, every model has its own weights again.
    """
    rows, never = [], teacher_forced(family.never, tokens).nll
    other = family._replace(own=family.swapped, swapped=family.own)
    for pair, grown in ((family, memories), (other, swapped_memories(memories))):
        scores = teacher_forced(pair.own, tokens)
        for row, memory in enumerate(grown):
            known = {"em": int(scores.em[row]), "nll": float(scores.nll[row]), "nll_never": float(never[row])}
            rows.append(memory.labels | known | _exchanged(pair, memory, tokens[row, None]))
    found = pd.DataFrame(rows)
    found["leak"] = (found["nll_carried"] - found["nll"]) / (found["nll_never"] - found["nll"])
    return found


def _exchanged(family: Family, memory: Memory, tokens: Int[Tensor, "1 token"]) -> dict[str, float]:
    """NLL of a memory while its place has another model's weights."""
    movable = memory.place.movable

    def nll_with(subject: Subject, other: Subject) -> float:
        with moved(subject, movable):
            set_values(subject, movable, values_at(other, movable))
            return float(teacher_forced(subject, tokens).nll)

    return {
        "norm": relative_norm(family.own, movable),
        "nll_swapped": nll_with(family.own, family.swapped),
        "nll_before": nll_with(family.own, family.before),
        "nll_carried": nll_with(family.never, family.own),
    }
