"""Paragraphs that are alike: copies of one text are not several texts.

Two paragraphs are near-duplicates if at least half of the runs of 5 tokens that occur in either occur in both
(Jaccard similarity). Paragraphs that a chain of near-duplicates joins are one cluster. Of paragraphs that are
sampled first, and of those that claims count, no two have a tenth of the runs in common, a fifth of their
text. All pairs are compared, exactly.
"""

import functools
from collections.abc import Callable, Iterator
from operator import add

import numpy as np
from jaxtyping import Bool, Int
from numpy.lib.stride_tricks import sliding_window_view
from scipy.sparse import csr_array

RUN = 5  # tokens
SIMILARITY = 0.5
LIKE = 0.1
N_DRAWS = 100


def near_duplicates(tokens: Int[np.ndarray, "paragraph token"]) -> Int[np.ndarray, "paragraph"]:
    """Cluster of each paragraph, from 0."""
    from scipy.sparse.csgraph import connected_components  # loaded where it computes, as it takes a while

    return connected_components(_alike(tokens, SIMILARITY), directed=False)[1]


def unlike(*sides: Int[np.ndarray, "unit token"]) -> Bool[np.ndarray, "unit"]:
    """Which units, of a text on each side, to keep so that no two are alike on a side.

    Each is kept that is like none before it. Those like fewest others come first, those like equally many in
    random order (fixed seed).
    """
    if not len(sides[0]):
        return np.zeros(0, dtype=bool)
    alike = functools.reduce(add, (_alike(tokens, LIKE) for tokens in sides))
    chance = np.random.default_rng(0).permutation(len(sides[0]))
    return _kept(alike, np.lexsort((chance, np.diff(alike.indptr))))


def draws(
    tokens: Int[np.ndarray, "text token"],
    drawn: Callable[[np.random.Generator], Int[np.ndarray, "unit side"]],
) -> Iterator[Int[np.ndarray, "unit side"]]:
    """Units of one or more texts (rows of `tokens`), in each of `N_DRAWS` draws those like none before them.

    Those that `drawn` gives are taken in random order, so that copies are no reason to be drawn or not.
    """
    alike = _alike(tokens, LIKE) if len(tokens) else csr_array((0, 0))
    for seed in range(N_DRAWS):
        random = np.random.default_rng(seed)
        units = random.permutation(drawn(random))
        n, texts = len(units), units.T.ravel()
        first, second = (place % n for place in alike[texts][:, texts].tocoo().coords)
        yield units[_kept(csr_array((np.ones(len(first)), (first, second)), shape=(n, n)), np.arange(n))]


def _kept(alike: csr_array, order: Int[np.ndarray, "unit"]) -> Bool[np.ndarray, "unit"]:
    """Which units are like none before them in an order."""
    kept, known = np.zeros((2, len(order)), dtype=bool)
    for row in order:
        if not known[row]:
            kept[row] = True
            known[alike.indices[alike.indptr[row] : alike.indptr[row + 1]]] = True
    return kept


def _alike(tokens: Int[np.ndarray, "paragraph token"], least: float) -> csr_array:
    """Which paragraphs are at least so similar [paragraph, paragraph]."""
    holds = _runs(tokens, min(RUN, tokens.shape[1]))
    shared = (holds @ holds.T).tocoo()
    sizes = holds.sum(axis=1)
    first, second = shared.coords
    alike = shared.data / (sizes[first] + sizes[second] - shared.data) >= least
    return csr_array((np.ones(alike.sum()), (first[alike], second[alike])), shape=shared.shape)


def _runs(tokens: Int[np.ndarray, "paragraph token"], run: int) -> csr_array:
    """Which runs of tokens each paragraph holds [paragraph, run]."""
    windows = sliding_window_view(tokens, run, axis=1)
    _, number = np.unique(windows.reshape(-1, run), axis=0, return_inverse=True)
    row = np.repeat(np.arange(len(tokens)), windows.shape[1])
    holds = csr_array((np.ones(len(row)), (row, number.ravel())))
    holds.data[:] = 1  # a run that occurs twice in a paragraph is held once
    return holds
