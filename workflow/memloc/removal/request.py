"""The request to a way to remove: take these paragraphs out of this model, and keep others as they are."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import NamedTuple

import numpy as np
from jaxtyping import Int
from torch import Tensor
from transformers import LogitsProcessor

from memloc.localization.ablation import Head
from memloc.model.subject import Subject
from memloc.model.weights import Movable
from memloc.settings.remove import Remove

Setting = tuple[float, ...]
"""Numbers that a sweep varies, such as a learning rate, a share, or a depth and a strength."""
Change = Callable[..., Movable]
"""Changes the model's weights by a setting, and returns those that may differ. Where the way sees paragraphs,
the function also takes a place: the way then chooses among its weights."""
Divert = Callable[[Setting], AbstractContextManager[LogitsProcessor | None]]
"""A context in which the model decodes differently; it gives a processor if it changes logits."""


class Request(NamedTuple):
    """A model and texts; no way sees a text that judges."""

    subject: Subject
    remove: Int[Tensor, "removed token"]
    keep: Int[Tensor, "kept token"]
    """Non-memorized paragraphs with their continuation in table `sets`."""
    general: Int[Tensor, "general token"]
    """Ordinary text, for means of heads and for curvature."""
    heads: list[Head]
    """All heads in the order of the combined ranking, but the highlighted one first."""
    how: Remove
    random: np.random.Generator
    retrained: dict[str, Tensor] | None = None
    """Weights of a model that was trained without the removed paragraphs, if there is one."""
