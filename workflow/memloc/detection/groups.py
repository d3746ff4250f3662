"""Folds that share no text: near-duplicates, and texts of one file of drawn data, are in the same fold.

A classifier that has seen a paragraph's twin knows its answer. Two paragraphs are near-duplicates if at
least half of the runs of 5 tokens that occur in either occur in both (Jaccard similarity). Paragraphs that a
chain of near-duplicates joins are one cluster. All pairs are compared, exactly.
"""

import numpy as np
from jaxtyping import Int
from numpy.lib.stride_tricks import sliding_window_view
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

RUN = 5  # tokens
SIMILARITY = 0.5
N_FOLDS = 5


def near_duplicates(tokens: Int[np.ndarray, "paragraph token"]) -> Int[np.ndarray, "paragraph"]:
    """Cluster of each paragraph, from 0."""
    holds = _runs(tokens, min(RUN, tokens.shape[1]))
    shared = (holds @ holds.T).tocoo()
    sizes = holds.sum(axis=1)
    first, second = shared.coords
    similarity = shared.data / (sizes[first] + sizes[second] - shared.data)
    alike = similarity >= SIMILARITY
    edges = (np.ones(alike.sum()), (first[alike], second[alike]))
    return connected_components(coo_array(edges, shape=shared.shape), directed=False)[1]


def _runs(tokens: Int[np.ndarray, "paragraph token"], run: int) -> csr_array:
    """Which runs of tokens each paragraph holds [paragraph, run]."""
    windows = sliding_window_view(tokens, run, axis=1)
    n_windows = windows.shape[1]
    _, number = np.unique(windows.reshape(-1, run), axis=0, return_inverse=True)
    row = np.repeat(np.arange(len(tokens)), n_windows)
    holds = csr_array((np.ones(len(row)), (row, number.ravel())))
    holds.data[:] = 1  # a run that occurs twice in a paragraph is held once
    return holds


def folds(recited: np.ndarray, groups: Int[np.ndarray, "row"], seed: int) -> Int[np.ndarray, "row"]:
    """Fold of each row. No fold splits a group, and each has about the same share of recited rows."""
    from sklearn.model_selection import StratifiedGroupKFold

    fold = np.zeros(len(groups), dtype=int)
    splitter = StratifiedGroupKFold(N_FOLDS, shuffle=True, random_state=seed)
    for number, (_, rows) in enumerate(splitter.split(groups, recited, groups)):
        fold[rows] = number
    return fold
