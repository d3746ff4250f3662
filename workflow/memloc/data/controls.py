"""Which non-memorized paragraphs a memorized one is compared with."""

import numpy as np
from jaxtyping import Int

from memloc.run.errors import InputError


def draw_controls(
    n_paragraphs: int, n_available: int, n_controls: int, rng: np.random.Generator
) -> Int[np.ndarray, "paragraph control"]:
    """Indices of `n_controls` different non-memorized paragraphs for each memorized one.

    Raises:
        ValueError: there are fewer than `n_controls` non-memorized paragraphs.
    """
    if n_controls > n_available:
        raise InputError(
            f"{n_controls} controls asked for, but only {n_available} non-memorized paragraphs to draw from"
        )
    available = np.tile(np.arange(n_available), (n_paragraphs, 1))
    return rng.permuted(available, axis=1)[:, :n_controls]
