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
from memloc.run.progress import Progress
from memloc.scoring.paragraph_scores import score
from memloc.scoring.passages import IMPOSSIBLE, PER_NAT, Starts, covered, recited_windows, worth_decoding

UNKNOWN, NO, YES = range(3)  # what is known of a window: it is recited, or not; UNKNOWN is a doubt, too
State = UInt8[np.ndarray, "token"]
ENOUGH = 512  # windows that are worth decoding, some of which are decoded, together


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
        self.n_piece = subject.micro_batch * (self.width - subject.n_prefix)

    def passages(
        self, doubts: State, decoded: State, kept: Callable[[Starts], Starts]
    ) -> Int[np.ndarray, "passage 3"]:
        """What is recited of the windows that are `kept`: first token, end, tokens that come out in one go.

        UNKNOWN `doubts` are filled in, and `decoded`: which windows, by their starts, are recited. A piece is
        decoded after its pass: the time left is that of both. At most `most` tokens come out in one go.
        """
        n_prefix, n_before = self.subject.n_prefix, int(self.subject.before is not None)
        doubts[:n_prefix] = IMPOSSIBLE  # the first prefix is no continuation
        progress, found, waiting = Progress(len(doubts), "tokens"), [], np.arange(0)
        for first in range(n_prefix, len(doubts), self.n_piece):
            piece = slice(first, first + self.n_piece)
            if (doubts[piece] == UNKNOWN).any():
                progress.at(first)
                doubts[piece] = self.judged(piece)
            begin = max(first - self.length + 1, 0)  # of the windows that end in this piece
            both = (each[begin : piece.stop] for each in (doubts, self.tokens))
            waiting = np.append(waiting, kept(begin + worth_decoding(*both, self.length, n_prefix)))
            if len(waiting) >= ENOUGH or piece.stop >= len(doubts):
                found.append(self._recited(waiting, decoded))
                waiting = waiting[:0]
        progress.at(len(doubts))
        first, end = covered(np.concatenate(found), self.length, n_prefix).T
        starts, at_once = first - n_prefix, np.zeros(len(first), np.int64)
        lengths = np.minimum(end - starts, self.most - n_before)
        for length in np.unique(lengths):
            at_once[lengths == length] = self._n_right(starts[lengths == length], int(length))
        return np.stack([first, end, at_once], axis=1)

    def judged(self, piece: slice) -> State:
        """Doubts of the tokens of a piece, in windows of `width` tokens; see `passages`."""
        n_prefix, step = self.subject.n_prefix, self.width - self.subject.n_prefix
        tokens = self.tokens[piece.start - n_prefix : piece.stop]
        rows = np.pad(np.maximum(tokens, 0), (0, (n_prefix - len(tokens)) % step))
        below = _below(self.subject, sliding_window_view(rows, self.width)[::step]).flatten()
        found = np.minimum(1 + np.rint(PER_NAT * below[: len(tokens) - n_prefix]), IMPOSSIBLE)
        return np.where(tokens[n_prefix:] < 0, IMPOSSIBLE, found).astype(np.uint8)

    def _recited(self, starts: Starts, decoded: State) -> Starts:
        """Those of the windows at some starts that are recited, and cover what all of these do."""
        n, size = self.length - self.subject.n_prefix, self.subject.micro_batch
        progress = Progress(0, "windows")

        def recited(some: Starts, n_more: int) -> Bool[np.ndarray, "window"]:
            left = some[decoded[some] == UNKNOWN]
            for at in range(0, len(left), size):
                part = left[at : at + size]
                decoded[part] = np.where(self._n_right(part, self.length) == n, YES, NO)
                n_done = np.count_nonzero(decoded[starts])
                progress.at(n_done, most=n_done + np.count_nonzero(decoded[left] == UNKNOWN) + n_more)
            return decoded[some] == YES

        return recited_windows(starts, n, recited)

    def _n_right(self, starts: Starts, length: int) -> Int[np.ndarray, "window"]:
        """How many tokens the model gets right, given the prefix of each window of `length` tokens."""
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
