"""Paragraphs that are alike: copies of one text are not several texts.

Two paragraphs are near-duplicates if at least half of the runs of 5 tokens that occur in either occur in both
(Jaccard similarity). Paragraphs that a chain of near-duplicates joins are one cluster. Of paragraphs that are
sampled first, and of those that claims count, no two have a tenth of the runs in common, a fifth of their
text. All pairs are compared, exactly.
"""

import numpy as np
from jaxtyping import Bool, Int
from numpy.lib.stride_tricks import sliding_window_view
from scipy.sparse import csr_array

RUN = 5  # tokens
SIMILARITY = 0.5
LIKE = 0.1


def near_duplicates(tokens: Int[np.ndarray, "paragraph token"]) -> Int[np.ndarray, "paragraph"]:
    """Cluster of each paragraph, from 0."""
    from scipy.sparse.csgraph import connected_components  # loaded where it computes, as it takes a while

    return connected_components(_alike(tokens, SIMILARITY), directed=False)[1]


def unlike(*sides: Int[np.ndarray, "unit token"]) -> Bool[np.ndarray, "unit"]:
    """Which paragraphs to keep so that no two are alike: each that is like none before it.

    Those like fewest others come first, those like equally many in random order (fixed seed). Of several
    sides, pairs are kept: two are alike if any text of one is like any text of the other.
    """
    n = len(sides[0])
    kept, known = np.zeros((2, n), dtype=bool)
    if not n:
        return kept
    first, second = (place % n for place in _alike(np.concatenate(sides), LIKE).tocoo().coords)
    alike = csr_array((np.ones(len(first)), (first, second)), shape=(n, n))
    chance = np.random.default_rng(0).permutation(n)
    for row in np.lexsort((chance, np.diff(alike.indptr))):
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
