"""The request to a way to remove: take these paragraphs out of this model, and keep those."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import NamedTuple

import numpy as np
from jaxtyping import Int
from torch import Tensor
from transformers import LogitsProcessor, PreTrainedModel

from memloc.editing.masks import Movable
from memloc.localization.ablation import Head
from memloc.settings.remove import Remove

Setting = tuple[float, ...]
"""The numbers that a sweep varies: a learning rate, a share, a depth and a strength, .."""
Change = Callable[[Setting], Movable]
"""Changes the model's weights by a setting, and says which ones may differ."""
Divert = Callable[[Setting], AbstractContextManager[LogitsProcessor | None]]
"""A context in which the model decodes differently; if it acts on logits, it gives their processor."""


class Request(NamedTuple):
    """A model and texts; no way sees a text that judges."""

    model: PreTrainedModel
    remove: Int[Tensor, "removed token"]
    keep: Int[Tensor, "kept token"]
    """Non-memorized paragraphs with their continuation in table `sets`."""
    general: Int[Tensor, "general token"]
    """Ordinary text: means of heads, curvature."""
    n_prefix: int
    heads: list[Head]
    """All heads by the combined ranking, the highlighted one first."""
    how: Remove
    random: np.random.Generator
    retrained: dict[str, Tensor] | None = None
    """Weights of a model that was trained without what is removed, where there is one."""
