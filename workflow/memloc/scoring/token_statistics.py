"""How sure is a model of each token of a continuation (extended analysis, not in the paper)?

One teacher-forced pass gives what two analyses need: the least likely tokens of a paragraph (min-k: a single
surprising token separates texts better than the mean does) and the lead of the first choice over the second.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import PreTrainedModel

from memloc.model.micro_batches import in_micro_batches
from memloc.scoring.metrics import token_nll
from memloc.scoring.teacher_forcing import states_in_parts, unembedded


class TokenStatistics(NamedTuple):
    """One value per token of each continuation, on the CPU.

    nll: nats. margin: the largest logit minus the second largest. true_rank: logits larger than that of the
    paragraph's own token, 0 where greedy decoding chooses it.
    """

    nll: Float[Tensor, "paragraph continuation"]
    margin: Float[Tensor, "paragraph continuation"]
    true_rank: Int[Tensor, "paragraph continuation"]


@torch.inference_mode()
def token_statistics(
    model: PreTrainedModel, tokens: Int[Tensor, "paragraph token"], n_prefix: int, micro_batch: int
) -> TokenStatistics:
    """Statistics of tokens n_prefix..T-1 given all tokens before them; memory grows with `micro_batch`."""

    def of_rows(rows: Int[Tensor, "paragraph token"]) -> list[Tensor]:
        rows = rows.to(model.device)
        states = states_in_parts(model, rows, n_prefix)
        return [values.cpu() for values in unembedded(model, states, rows[:, n_prefix:], _statistics)]

    parts = in_micro_batches(of_rows, micro_batch, tokens)
    return TokenStatistics(*(torch.cat(column) for column in zip(*parts, strict=True)))


def _statistics(
    logits: Float[Tensor, "token vocabulary"], true: Int[Tensor, "token"]
) -> tuple[Float[Tensor, "token"], Float[Tensor, "token"], Int[Tensor, "token"]]:
    largest = logits.topk(2, dim=-1).values
    true_rank = (logits > logits.gather(-1, true.unsqueeze(-1))).sum(dim=-1)
    return token_nll(logits, true), largest[..., 0] - largest[..., 1], true_rank


def statistics_frame(
    statistics: TokenStatistics, ids: Int[np.ndarray, "paragraph"], n_prefix: int
) -> pd.DataFrame:
    """`token_statistics` as a table: id, position (in the paragraph, from 0), nll, margin, true_rank."""
    paragraph, offset = (axis.ravel() for axis in np.indices(statistics.nll.shape))
    values = {name: column.numpy().ravel() for name, column in statistics._asdict().items()}
    return pd.DataFrame({"id": np.asarray(ids)[paragraph], "position": n_prefix + offset, **values})
