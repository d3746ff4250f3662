"""Attention of the first decoded token as tables and back (paper 6.2)."""

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor


def attention_frame(
    attention: Float[Tensor, "paragraph layer head key"], ids: Int[np.ndarray, "paragraph"]
) -> pd.DataFrame:
    """`prefix_attention` as a table: id, layer, head, position, attention.

    Positions are the keys 0..n_prefix-1, without the query's own.
    """
    values = attention[..., :-1].numpy()
    paragraph, layer, head, position = np.indices(values.shape, dtype=np.int32, sparse=True)
    columns = {
        "id": np.asarray(ids, dtype=np.int32)[paragraph],
        "layer": layer.astype(np.int16),
        "head": head.astype(np.int16),
        "position": position.astype(np.int16),
        "attention": values,
    }
    return pd.DataFrame(
        {name: np.broadcast_to(column, values.shape).ravel() for name, column in columns.items()}
    )


def attention_array(
    frame: pd.DataFrame,
) -> tuple[Int[np.ndarray, "paragraph"], Float[np.ndarray, "paragraph layer head key"]]:
    """The inverse of `attention_frame`: ids in ascending order, and their attention onto keys 0..n_prefix-1.

    Raises:
        ValueError: a row is missing or there twice.
    """
    axes = ["id", "layer", "head", "position"]
    frame = frame.sort_values(axes)
    shape = tuple(frame[axis].nunique() for axis in axes)
    if frame.duplicated(axes).any() or len(frame) != np.prod(shape):
        raise ValueError(
            f"attention: {len(frame)} rows are not one for each of {' x '.join(map(str, shape))}"
        )
    return np.sort(frame["id"].unique()), frame["attention"].to_numpy().reshape(shape)


def attention_entropy(
    attention: Float[Tensor, "paragraph layer head key"], ids: Int[np.ndarray, "paragraph"]
) -> pd.DataFrame:
    """Entropy in nats of each head's attention at the first decoded token: id, layer, head, entropy.

    0: all on one token; log(n_prefix + 1): even. Takes whole rows of `prefix_attention`, which sum to one.
    """
    entropy = torch.special.entr(attention.double()).sum(dim=-1).numpy()
    paragraph, layer, head = (axis.ravel() for axis in np.indices(entropy.shape))
    return pd.DataFrame(
        {"id": np.asarray(ids)[paragraph], "layer": layer, "head": head, "entropy": entropy.ravel()}
    )
