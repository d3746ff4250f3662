"""Folds, pairs and samples that share no text.

A classifier that has seen a paragraph's twin knows its answer. Two paragraphs are near-duplicates if at
least half of the runs of 5 tokens that occur in either occur in both (Jaccard similarity). Paragraphs that a
chain of near-duplicates joins are one cluster. Near-duplicates, and texts of one file of drawn data, are in
the same fold. Of paragraphs that claims count, no two have a tenth of the runs in common, a fifth of their
text. All pairs are compared, exactly.
"""

import numpy as np
from jaxtyping import Bool, Int
from numpy.lib.stride_tricks import sliding_window_view
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

RUN = 5  # tokens
SIMILARITY = 0.5
LIKE = 0.1
N_FOLDS = 5


def near_duplicates(tokens: Int[np.ndarray, "paragraph token"]) -> Int[np.ndarray, "paragraph"]:
    """Cluster of each paragraph, from 0."""
    return connected_components(_alike(tokens, SIMILARITY), directed=False)[1]


def unlike(tokens: Int[np.ndarray, "paragraph token"]) -> Bool[np.ndarray, "paragraph"]:
    """Which paragraphs a sample keeps: in random order (fixed seed), each that is like none before it."""
    alike = _alike(tokens, LIKE)
    kept, known = np.zeros((2, len(tokens)), dtype=bool)
    for row in np.random.default_rng(0).permutation(len(tokens)):
        if not known[row]:
            kept[row] = True
            known[alike.indices[alike.indptr[row] : alike.indptr[row + 1]]] = True
    return kept


def equal_pairs(
    exposure: Int[np.ndarray, "row"], label: Bool[np.ndarray, "row"], group: Int[np.ndarray, "row"]
) -> Int[np.ndarray, "pair 2"]:
    """Random pairs of a positive and a negative row of the same exposure (as places of rows).

    Every group is in one pair at most, so that pairs are independent. The draw has a fixed seed.
    """
    used, waiting, pairs = set(), {}, []
    for row in np.random.default_rng(0).permutation(len(label)):
        if group[row] in used:
            continue
        others = waiting.get((exposure[row], not label[row]), [])
        free = (other for other in others if group[other] not in used and group[other] != group[row])
        partner = next(free, None)
        if partner is None:
            waiting.setdefault((exposure[row], bool(label[row])), []).append(row)
            continue
        used |= {group[row], group[partner]}
        pairs.append((row, partner) if label[row] else (partner, row))
    return np.array(pairs, dtype=int).reshape(-1, 2)


def _alike(tokens: Int[np.ndarray, "paragraph token"], least: float) -> csr_array:
    """Which paragraphs are at least so similar [paragraph, paragraph]."""
    holds = _runs(tokens, min(RUN, tokens.shape[1]))
    shared = (holds @ holds.T).tocoo()
    sizes = holds.sum(axis=1)
    first, second = shared.coords
    similarity = shared.data / (sizes[first] + sizes[second] - shared.data)
    alike = similarity >= least
    return csr_array((np.ones(alike.sum()), (first[alike], second[alike])), shape=shared.shape)


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
