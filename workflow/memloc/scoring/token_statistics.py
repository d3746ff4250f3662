"""The NLL of each token of a continuation (extended analysis, not in the paper)."""

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor

from memloc.model.subject import Subject, Tokens
from memloc.scoring.teacher_forcing import score_tokens


@torch.inference_mode()
def continuation_nll(subject: Subject, tokens: Tokens) -> Float[Tensor, "paragraph continuation"]:
    """NLL (nats) of each token of the continuations given all tokens before it."""

    def of_rows(rows: Tokens) -> Float[Tensor, "paragraph continuation"]:
        return score_tokens(subject, subject.states_in_parts(rows), rows[:, subject.n_prefix :]).nll.cpu()

    return torch.cat(subject.in_batches(of_rows, tokens))


def nll_frame(
    nll: Float[Tensor, "paragraph continuation"], ids: Int[np.ndarray, "paragraph"], n_prefix: int
) -> pd.DataFrame:
    """`continuation_nll` as a table: id, position (in the paragraph, from 0), nll."""
    paragraph, offset = (axis.ravel() for axis in np.indices(nll.shape))
    return pd.DataFrame(
        {"id": np.asarray(ids)[paragraph], "position": n_prefix + offset, "nll": nll.numpy().ravel()}
    )
