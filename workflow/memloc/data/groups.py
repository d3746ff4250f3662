"""Groups of rows that have anything in common: texts, clusters of near-duplicates."""

import numpy as np
from jaxtyping import Int
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def joined(*labels: np.ndarray) -> Int[np.ndarray, "row"]:
    """Groups, from 0, that keep together rows with any label in common."""
    n_rows, first, edges = len(labels[0]), len(labels[0]), []
    for column in labels:
        names, number = np.unique(column, return_inverse=True)
        edges.append((np.arange(n_rows), first + number))
        first += len(names)
    rows, nodes = (np.concatenate(ends) for ends in zip(*edges, strict=True))
    graph = coo_array((np.ones(len(rows)), (rows, nodes)), shape=(first, first))
    found = connected_components(graph, directed=False)[1][:n_rows]
    return np.unique(found, return_inverse=True)[1]
