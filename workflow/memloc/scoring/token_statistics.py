"""The NLL of each token of a continuation (extended analysis, not in the paper)."""

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor

from memloc.model.subject import Subject, Tokens
from memloc.scoring.teacher_forcing import score_tokens


@torch.inference_mode()
def token_nll(subject: Subject, tokens: Tokens, ids: Int[np.ndarray, "paragraph"]) -> pd.DataFrame:
    """NLL (nats) of each continuation token given all tokens before it: id, position (from 0), nll."""
    scored = subject.of_preceded

    def of_rows(rows: Tokens) -> Float[Tensor, "paragraph continuation"]:
        return score_tokens(scored, scored.states_in_parts(rows), rows[:, scored.n_prefix :]).nll.cpu()

    nll = torch.cat(scored.in_batches(of_rows, subject.preceded(tokens))).numpy()
    paragraph, offset = (axis.ravel() for axis in np.indices(nll.shape))
    position = subject.n_prefix + offset
    return pd.DataFrame({"id": np.asarray(ids)[paragraph], "position": position, "nll": nll.ravel()})
