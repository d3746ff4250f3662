"""Subsets and signs of a sample: all of them where there are few values, else random ones of a fixed seed."""

import numpy as np

MOST_EXACT = 12  # values whose signs and subsets are all enumerated: 4,096
N_SUBSETS = N_FLIPS = 9_999
CHUNK = 2**22  # values of random subsets and signs that are held at a time


def subset_means(values: np.ndarray) -> np.ndarray:
    """Means of all non-empty subsets of few values, of random ones of many."""
    n = len(values)
    if n <= MOST_EXACT:
        chosen = _bits(n)[1:]
        return chosen @ values / chosen.sum(axis=1)
    rng, rows = np.random.default_rng(0), max(1, CHUNK // n)
    means = []
    for first in range(0, N_SUBSETS, rows):
        chosen = rng.integers(2, size=(min(rows, N_SUBSETS - first), n))
        chosen[~chosen.any(axis=1), 0] = 1
        means.append(chosen @ values / chosen.sum(axis=1))
    return np.concatenate(means)


def _bits(n: int) -> np.ndarray:
    """All rows of n zeros and ones."""
    return (np.arange(2**n)[:, None] >> np.arange(n)) & 1


def signs(n: int) -> np.ndarray:
    """Rows of n signs: all of them for few values, random ones for many."""
    if n <= MOST_EXACT:
        return 1.0 - 2 * _bits(n)
    return np.random.default_rng(0).choice([-1.0, 1.0], size=(N_FLIPS, n))
