"""Scan a text for what a model recites, from any start: one pass of the text, then decoding.

The pass tells of every token how much less likely it is than the model's first choice. Its windows overlap,
so that at least as many tokens stand before each token as in a prefix. What is recited from its own prefix
is missed only if the pass, which mostly sees more text before it, holds it to be unlikely (`passages.MOST`).
"""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from numpy.lib.stride_tricks import sliding_window_view
from torch import Tensor

from memloc.model.subject import Subject
from memloc.scoring.paragraph_scores import score
from memloc.scoring.passages import (
    IMPOSSIBLE,
    NO,
    PER_NAT,
    UNKNOWN,
    YES,
    Starts,
    covered,
    recited_windows,
)

PIECE = 512  # windows that are worth decoding, some of which are decoded, at a time
Advance = Callable[[int], None]


class Scan:
    """A text and the model that is asked about it, with windows of `length` tokens.

    Args:
        tokens: documents, each followed by a negative token.
        most: tokens that the model's context holds.
        threshold: of near-ties.
    """

    def __init__(
        self, subject: Subject, tokens: Int[np.ndarray, "token"], length: int, most: int, threshold: float
    ) -> None:
        self.subject, self.tokens, self.length = subject, tokens, length
        self.most, self.threshold = most, threshold
        self.width = min(3 * length, most)

    def judge(self, doubts: UInt8[np.ndarray, "token"], advance: Advance) -> None:
        """Fill in doubts that are UNKNOWN, of tokens in windows of `width` tokens; see `passages`.

        The first prefix of the text is no continuation. `advance` is told how many more tokens are done.
        """
        n_prefix, doubts[: self.subject.n_prefix] = self.subject.n_prefix, IMPOSSIBLE
        step = self.width - n_prefix
        firsts = range(n_prefix, len(doubts), step * self.subject.micro_batch)
        pieces = [slice(first, first + firsts.step) for first in firsts]
        left = [piece for piece in pieces if (doubts[piece] == UNKNOWN).any()]
        n_done = len(doubts) - sum(len(doubts[piece]) for piece in left)
        for piece in left:
            tokens = self.tokens[piece.start - n_prefix : piece.stop]
            rows = np.pad(np.maximum(tokens, 0), (0, (n_prefix - len(tokens)) % step))
            below = _below(self.subject, sliding_window_view(rows, self.width)[::step]).flatten()
            tokens = tokens[n_prefix:]
            found = np.minimum(1 + np.rint(PER_NAT * below[: len(tokens)]), IMPOSSIBLE)
            doubts[piece] = np.where(tokens < 0, IMPOSSIBLE, found)
            advance(n_done + len(tokens))
            n_done = 0

    def passages(
        self, starts: Starts, decoded: UInt8[np.ndarray, "token"], advance: Advance
    ) -> Int[np.ndarray, "passage 3"]:
        """What is recited of the windows at some starts: first token, end, tokens that come out in one go.

        `decoded` says which windows are known to be recited (YES) or not (NO), by their starts, and is filled
        in; `advance` is told how many more are done. No more than `most` tokens come out in one go.
        """
        n_prefix, n_before = self.subject.n_prefix, int(self.subject.before is not None)
        n = self.length - n_prefix

        def recited(some: Starts) -> Bool[np.ndarray, "window"]:
            left = some[decoded[some] == UNKNOWN]
            decoded[left] = np.where(self._n_right(left, self.length) == n, YES, NO)
            return decoded[some] == YES

        found = []
        for piece in np.split(starts, range(PIECE, len(starts), PIECE)):
            found.append(recited_windows(piece, n, recited))
            advance(len(piece))
        first, end = covered(np.concatenate(found), self.length, n_prefix).T
        starts, at_once = first - n_prefix, np.zeros(len(first), np.int64)
        lengths = np.minimum(end - starts, self.most - n_before)
        for length in np.unique(lengths):
            at_once[lengths == length] = self._n_right(starts[lengths == length], int(length))
        return np.stack([first, end, at_once], axis=1)

    def _n_right(self, starts: Starts, length: int) -> Int[np.ndarray, "window"]:
        """How many tokens the model gets right, given the prefix of each window of `length` tokens."""
        if not len(starts):
            return np.arange(0)
        rows = torch.from_numpy(sliding_window_view(self.tokens, length)[starts].astype(np.int64))
        return score(self.subject.of_placed, self.subject.placed(rows), self.threshold).em.numpy()


@torch.inference_mode()
def _below(subject: Subject, rows: Int[np.ndarray, "row token"]) -> Float[np.ndarray, "row continuation"]:
    """Nats by which each token after the prefix is less likely than the first choice at its place."""

    def below(logits: Tensor, true: Tensor) -> tuple[Tensor]:
        return (logits.amax(dim=-1) - logits.gather(1, true[:, None]).squeeze(1),)

    rows = torch.from_numpy(rows.astype(np.int64)).to(subject.device)
    (found,) = subject.unembedded(subject.states_in_parts(rows), rows[:, subject.n_prefix :], below)
    return found.cpu().numpy()
