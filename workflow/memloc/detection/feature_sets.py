"""The features that classifiers see at each lead time: baselines, the residual stream, and NLL with it."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from jaxtyping import Float, Int, Shaped
from scipy.sparse import csr_array

TOGETHER = "nll_and_residual"
Features = Shaped[np.ndarray, "row feature"] | csr_array


def feature_sets(
    pieces: Iterable[pd.DataFrame],
    ids: Int[np.ndarray, "paragraph"],
    prefix: Int[np.ndarray, "paragraph token"],
    exposure: Int[np.ndarray, "paragraph"],
) -> dict[int, dict[str, Features]]:
    """Sets of features by lead time (tokens that are seen) and name; rows are the paragraphs `ids`.

    `pieces` are parts of table `prefix_features`; exposure, bag of words and the combined set are added.
    """
    sets = _arrays(pieces, ids)
    for n_seen, named in sets.items():
        named[TOGETHER] = np.concatenate([named["nll"], named["residual"]], axis=1)
        named["exposure"] = np.log1p(exposure.astype(float))[:, None]
        named["bag_of_words"] = bag_of_words(prefix[:, :n_seen])
    return sets


def _arrays(
    pieces: Iterable[pd.DataFrame], ids: Int[np.ndarray, "paragraph"]
) -> dict[int, dict[str, Float[np.ndarray, "paragraph feature"]]]:
    """The long table as arrays by lead time and kind; its pieces may be cut anywhere."""
    parts: dict[tuple[int, str], list[pd.DataFrame]] = {}
    for piece in pieces:
        for key, rows in piece.groupby(["n_seen", "features"], observed=True):
            parts.setdefault(key, []).append(rows[["id", "value"]])
    found = {}
    for (n_seen, name), frames in parts.items():
        rows = pd.concat(frames)
        values = rows["value"].to_numpy().reshape(len(ids), -1)
        order = pd.Index(rows["id"].to_numpy().reshape(len(ids), -1)[:, 0]).get_indexer(ids)
        found.setdefault(int(n_seen), {})[str(name)] = values[order]
    return found


def bag_of_words(tokens: Int[np.ndarray, "paragraph token"]) -> csr_array:
    """How often each token occurs in each row: features that need no model."""
    n, length = tokens.shape
    row = np.repeat(np.arange(n, dtype=np.int32), length)
    columns = tokens.ravel().astype(np.int32)  # scikit-learn takes no wider indices
    return csr_array((np.ones(n * length), (row, columns)), shape=(n, tokens.max() + 1))
