"""A screen for recited windows of a text: which tokens the model predicts from the text before them.

Scoring windows that begin at every token runs each token of text once per window that holds it. Here a token
is run twice at most: pieces as long as the model's context overlap by half, so that every token is predicted
from half a context or more, or from the start of its document. A window that the model recites from its own
start hardly ever surprises it within the text; how many are missed is measured (docs/methods.md).
"""

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor
from transformers import PreTrainedModel

from memloc.data.own_text import Stream
from memloc.data.paragraphs import with_token_before
from memloc.model.micro_batches import in_micro_batches
from memloc.scoring.teacher_forcing import score_tokens, states_in_parts

MOST = 1024  # tokens of a piece that make sense: attention to more takes longer
N_PIECES = 256  # that are held at a time, of about one length


def predicted_tokens(
    model: PreTrainedModel,
    tokens: Int[np.ndarray, "token"],
    begins: Int[np.ndarray, "document"],
    size: int,
    micro_batch: int,
    before: int | None = None,
) -> Bool[np.ndarray, "token"]:
    """Which tokens of documents are the model's first choice. First tokens of documents are not asked for.

    Args:
        tokens: of a `Stream`; `begins` says where each document begins.
        size: tokens of a piece.
        micro_batch: pieces per pass.
        before: token that stands before every piece.
    """
    half, ends = size // 2, np.append(begins[1:], len(tokens)) - 1
    stops = np.maximum(begins + 1, ends - half)
    starts = [np.arange(begin, stop, half) for begin, stop in zip(begins, stops, strict=True)]
    n_pieces = [len(some) for some in starts]
    start, begin, end = np.concatenate(starts), np.repeat(begins, n_pieces), np.repeat(ends, n_pieces)
    length = np.minimum(end - start, size)
    found = np.zeros(len(tokens), dtype=bool)
    order = np.argsort(length, kind="stable")
    for some in np.split(order, range(N_PIECES, len(order), N_PIECES)):
        place = start[some, None] + np.arange(max(length[some].max(), 2))
        rows = tokens[np.minimum(place, len(tokens) - 1)].clip(min=0).astype(np.int64)
        first = _first_choices(model, torch.from_numpy(rows), micro_batch, before)
        known_before = (place >= start[some, None] + half) | (start == begin)[some, None]
        asked = (known_before & (place < end[some, None]))[:, 1:]
        found[place[:, 1:][asked]] = first[asked]
    return found


@torch.inference_mode()
def _first_choices(
    model: PreTrainedModel, rows: Int[Tensor, "piece token"], micro_batch: int, before: int | None
) -> Bool[np.ndarray, "piece token-1"]:
    def matched(rows: Int[Tensor, "piece token"]) -> Bool[Tensor, "piece token-1"]:
        rows = with_token_before(rows.to(model.device), before)
        known = 1 + (before is not None)
        return score_tokens(model, states_in_parts(model, rows, known), rows[:, known:]).matched.cpu()

    return torch.cat(in_micro_batches(matched, micro_batch, rows)).numpy()


def passes(
    predicted: Bool[np.ndarray, "token"], stream: Stream, n_prefix: int, share: float
) -> Bool[np.ndarray, "paragraph"]:
    """Which paragraphs have at least this share of the continuation predicted. Memory: 8 bytes per token."""
    n_before = np.concatenate([[0], np.cumsum(predicted)])
    n_right = n_before[stream.starts + stream.length] - n_before[stream.starts + n_prefix]
    return n_right >= share * (stream.length - n_prefix)
