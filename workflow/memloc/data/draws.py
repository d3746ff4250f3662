"""Smaller samples of a sample of paragraphs (a part, all but a part, a resample), and controls."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from memloc.run.errors import InputError
from memloc.tables.terms.samples import SAMPLES

N_PARTS = 10
N_RESAMPLES = 200


class Draws(NamedTuple):
    """Samples of units, paragraphs or parts: `weights` @ sums over units is the mean of each sample.

    `keys` has a row per sample: its kind (`sample`) and its `number` among those of its kind.
    """

    keys: pd.DataFrame
    weights: Float[np.ndarray, "sample unit"]


class Parts(NamedTuple):
    """The members of each part of a sample, and the samples that are drawn from the parts."""

    members: list[Int[np.ndarray, "member"]]
    draws: Draws


def split(n: int, rng: np.random.Generator, n_parts: int = N_PARTS) -> list[Int[np.ndarray, "member"]]:
    """Split n paragraphs at random into `n_parts`, or n if that is less; sizes differ by one at most."""
    return np.array_split(rng.permutation(n), min(n_parts, n))


def draw(
    sizes: Sequence[int],
    parts: Sequence[Sequence[int]],
    rng: np.random.Generator,
    n_resamples: int = N_RESAMPLES,
) -> Draws:
    """Draw samples of units; unit i holds sizes[i] paragraphs.

    The samples are each part ("part"), all units outside of each part ("rest"; none if there is one part
    only), and units drawn with replacement ("resample").
    """
    inside = np.zeros((len(parts), len(sizes)))
    for row, members in zip(inside, parts, strict=True):
        row[members] = 1
    drawn = rng.integers(len(sizes), size=(n_resamples, len(sizes)))
    resampled = np.array([np.bincount(row, minlength=len(sizes)) for row in drawn])
    counts = np.concatenate([inside, 1 - inside, resampled])
    n_of = dict(zip(SAMPLES, (len(parts), len(parts), n_resamples), strict=True))
    names = [(kind, number) for kind, n in n_of.items() for number in range(n)]
    keys = pd.DataFrame(names, columns=["sample", "number"])
    n_paragraphs = counts @ np.asarray(sizes)
    kept = n_paragraphs > 0
    return Draws(keys[kept].reset_index(drop=True), counts[kept] / n_paragraphs[kept, None])


def draw_controls(
    n_paragraphs: int, n_available: int, n_controls: int, rng: np.random.Generator
) -> Int[np.ndarray, "paragraph control"]:
    """Indices of `n_controls` different non-memorized paragraphs for each memorized one.

    Raises:
        InputError: there are fewer than `n_controls` non-memorized paragraphs.
    """
    if n_controls > n_available:
        raise InputError(
            f"{n_controls} controls asked for, but only {n_available} non-memorized paragraphs to draw from: "
            "set contrastive.n_controls and editing.n_controls lower"
        )
    return rng.permuted(np.tile(np.arange(n_available), (n_paragraphs, 1)), axis=1)[:, :n_controls]
