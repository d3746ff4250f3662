"""Screen a text for recited windows by the tokens that the model predicts from the text before them.

Scoring windows that begin at every token runs each token of text once per window that holds it. Here a token
is run twice at most. Pieces as long as the model's context overlap by half, so every token is predicted from
half a context or more, or from the start of its document. The model predicts a window within the text nearly
whenever it recites the window from its own start; docs/methods.md has the share of windows that are missed.
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

MOST = 1024  # tokens of a piece: attention over more takes longer than it saves
N_PIECES = 256  # pieces, of similar length, that are held at a time


def predicted_tokens(
    model: PreTrainedModel,
    tokens: Int[np.ndarray, "token"],
    begins: Int[np.ndarray, "document"],
    size: int,
    micro_batch: int,
    before: int | None = None,
) -> Bool[np.ndarray, "token"]:
    """Whether each token is the model's first choice; False for the first token of a document.

    Args:
        tokens: all tokens of a `Stream`; `begins` has the place where each document begins.
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
    """Whether at least this share of each paragraph's continuation is predicted; takes 8 bytes a token."""
    n_before = np.concatenate([[0], np.cumsum(predicted)])
    n_right = n_before[stream.starts + stream.length] - n_before[stream.starts + n_prefix]
    return n_right >= share * (stream.length - n_prefix)
