"""Profiles of heads (a paragraph's values at all prefix positions), and their correlation."""

import numpy as np
import pandas as pd


def profiles(rows: pd.DataFrame, value: str, n_prefix: int) -> pd.DataFrame:
    """A layer's rows (id, head, position, `value`) as a table: (id, head) x prefix positions."""
    rows = rows[rows["position"] < n_prefix]
    return rows.astype({"head": int}).pivot(index=["id", "head"], columns="position", values=value)


def value_gradient_profiles(activation_gradients: pd.DataFrame, layer: int, n_prefix: int) -> pd.DataFrame:
    """Value-activation gradients of a layer in memorized paragraphs."""
    rows = activation_gradients.query("group == 'memorized' and component == 'v' and layer == @layer")
    return profiles(rows, "max_abs", n_prefix)


def attention_profiles(attention: pd.DataFrame, layer: int, ids: pd.Index, n_prefix: int) -> pd.DataFrame:
    """Attention of a layer in the given paragraphs."""
    rows = attention[(attention["layer"] == layer) & attention["id"].isin(ids)]
    return profiles(rows, "attention", n_prefix)


def correlation_with_others(found: pd.DataFrame) -> pd.DataFrame:
    """Mean Pearson correlation of a head's profile with those of the other heads: paragraphs x heads."""
    rows = {}
    for paragraph, block in found.groupby(level="id"):
        correlation = block.droplevel("id").T.corr().to_numpy(copy=True)
        np.fill_diagonal(correlation, np.nan)
        rows[paragraph] = pd.DataFrame(correlation, columns=block.index.get_level_values("head")).mean()
    return pd.DataFrame(rows).T


def neighbour(layer: int, n_layers: int) -> int:
    """The layer after this one, or before it if it is the last; of a single layer, itself."""
    return layer + 1 if layer + 1 < n_layers else max(layer - 1, 0)
