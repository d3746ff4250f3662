"""The memory that rules ask for: a base, and a multiple of the bytes of the weights, for each kind of rule.

The base holds the process, and a micro-batch of paragraphs of 100 tokens. It is no guarantee: killed jobs are
tried again with twice the memory. docs/memory.md says what was measured.
"""

import math
from typing import Literal, NamedTuple

from memloc.planning.shapes import Shape
from memloc.settings.loading import Loading

Kind = Literal["score", "gradients", "edit", "training"]
BYTES = {"float32": 4, "bfloat16": 2}


class Need(NamedTuple):
    """Bytes at the peak of a rule, and for each byte of the weights."""

    base: float
    per_byte: float
    single: bool = False  # weights are in single precision whatever `loading.dtype` is


NEEDS: dict[Kind, Need] = {
    "score": Need(1.2e9, 1.2),
    "gradients": Need(1.9e9, 2.8),  # what autograd keeps
    "edit": Need(1.0e9, 7.5, single=True),  # weights twice, gradients twice, Adam's moments, a step's terms
    "training": Need(3.5e9, 4, single=True),  # weights, gradients, moments; the base holds logits of windows
}


def megabytes(kind: Kind, shape: Shape, loading: Loading, on_gpu: bool = False) -> int:
    """Memory (MB) that a rule of a kind asks the machine for, or takes of its GPU.

    With `loading.device: cuda`, the machine's memory holds the model only during loading.
    """
    if loading.device == "cuda" and kind != "training" and not on_gpu:
        kind = "score"
    base, per_byte, single = NEEDS[kind]
    return math.ceil(
        (base + per_byte * shape.n_parameters * BYTES["float32" if single else loading.dtype]) / 1e6
    )
