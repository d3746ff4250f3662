"""Folds and pairs that share no text.

A classifier that has seen a paragraph's twin knows its answer: near-duplicates (`data/alike.py`), and texts
of one file of drawn data, are in the same fold.
"""

from collections import defaultdict

import numpy as np
from jaxtyping import Bool, Int

N_FOLDS = 5


def equal_pairs(
    exposure: Int[np.ndarray, "row"],
    label: Bool[np.ndarray, "row"],
    group: Int[np.ndarray, "row"],
    random: np.random.Generator,
) -> Int[np.ndarray, "pair 2"]:
    """Random pairs of a positive and a negative row of the same exposure (as places of rows).

    Every group is in one pair at most, so that pairs are independent.
    """
    used, waiting, pairs = set(), defaultdict(list), []
    for row in random.permutation(len(label)):
        if group[row] in used:
            continue
        others = waiting[exposure[row], not label[row]]
        free = (other for other in others if group[other] not in used and group[other] != group[row])
        if (partner := next(free, None)) is None:
            waiting[exposure[row], bool(label[row])].append(row)
        else:
            others.remove(partner)
            used |= {group[row], group[partner]}
            pairs.append((row, partner) if label[row] else (partner, row))
    return np.array(pairs, dtype=int).reshape(-1, 2)


def folds(recited: np.ndarray, groups: Int[np.ndarray, "row"], seed: int) -> Int[np.ndarray, "row"]:
    """Fold of each row. No fold splits a group, and each has about the same share of recited rows."""
    from sklearn.model_selection import StratifiedGroupKFold

    fold = np.zeros(len(groups), dtype=int)
    splitter = StratifiedGroupKFold(N_FOLDS, shuffle=True, random_state=seed)
    for number, (_, rows) in enumerate(splitter.split(groups, recited, groups)):
        fold[rows] = number
    return fold
