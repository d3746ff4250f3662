"""Where paragraphs stand in the user's own text, and which paragraphs belong together."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Int
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def numbered(files: Sequence[str]) -> pd.DataFrame:
    """The file of each document, and the document's number in that file, from 0."""
    found = pd.DataFrame({"file": files})
    return found.assign(document=found.groupby("file", sort=False).cumcount())


def joined(*labels: np.ndarray) -> Int[np.ndarray, "row"]:
    """Number of each row's group, from 0. A chain of rows that share labels is one group."""
    n_rows, first, edges = len(labels[0]), len(labels[0]), []
    for column in labels:
        names, number = np.unique(column, return_inverse=True)
        edges.append((np.arange(n_rows), first + number))
        first += len(names)
    rows, nodes = (np.concatenate(ends) for ends in zip(*edges, strict=True))
    graph = coo_array((np.ones(len(rows)), (rows, nodes)), shape=(first, first))
    found = connected_components(graph, directed=False)[1][:n_rows]
    return np.unique(found, return_inverse=True)[1]
