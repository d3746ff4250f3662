"""Attention (softmax of queries and keys) of the first decoded token onto the prefix (paper 6.2)."""

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor

from memloc.model.sites import reading, sites
from memloc.model.subject import Subject, Tokens


@torch.inference_mode()
def prefix_attention(subject: Subject, tokens: Tokens) -> Float[Tensor, "paragraph layer head key"]:
    """Softmax attention at query position n_prefix (the first decoded token) onto keys 0..n_prefix.

    The last key is the query's own position, so that every row sums to one. On the CPU, in single precision.
    The subject has its bridge.
    """
    n_prefix, wanted = subject.n_prefix, sites(subject, ["pattern"])

    def at_query(rows: Tokens) -> Float[Tensor, "paragraph layer head key"]:
        with reading(subject, wanted) as found:
            subject.hidden(rows)
        return torch.stack([found[site][:, :, n_prefix].float().cpu() for site in wanted], dim=1)

    return torch.cat(subject.in_batches(at_query, tokens[:, : n_prefix + 1]))


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
