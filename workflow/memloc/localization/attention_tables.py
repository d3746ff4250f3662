"""Attention of the first decoded token as tables (paper 6.2)."""

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
