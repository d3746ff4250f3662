"""The NLL of each token of a continuation (extended analysis, not in the paper)."""

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import PreTrainedModel

from memloc.model.micro_batches import in_micro_batches
from memloc.scoring.teacher_forcing import states_in_parts, token_nll, unembedded


@torch.inference_mode()
def continuation_nll(
    model: PreTrainedModel, tokens: Int[Tensor, "paragraph token"], n_prefix: int, micro_batch: int
) -> Float[Tensor, "paragraph continuation"]:
    """NLL (nats) of tokens n_prefix..T-1 given all tokens before them; memory grows with `micro_batch`."""

    def of_rows(rows: Int[Tensor, "paragraph token"]) -> Float[Tensor, "paragraph continuation"]:
        rows = rows.to(model.device)
        states = states_in_parts(model, rows, n_prefix)
        (nll,) = unembedded(model, states, rows[:, n_prefix:], lambda *logits: (token_nll(*logits),))
        return nll.cpu()

    return torch.cat(in_micro_batches(of_rows, micro_batch, tokens))


def nll_frame(
    nll: Float[Tensor, "paragraph continuation"], ids: Int[np.ndarray, "paragraph"], n_prefix: int
) -> pd.DataFrame:
    """`continuation_nll` as a table: id, position (in the paragraph, from 0), nll."""
    paragraph, offset = (axis.ravel() for axis in np.indices(nll.shape))
    return pd.DataFrame(
        {"id": np.asarray(ids)[paragraph], "position": n_prefix + offset, "nll": nll.numpy().ravel()}
    )
