"""Scan a text for what a model recites, from any start: one pass for each context, then decoding.

A pass over windows of the text tells of every token whether it is the model's first choice. The windows lie
side by side, once from the first token on, and once from the middle of a window on. In one of the two, half a
window or more stands before a token; after its own prefix, as much stands before it as recitation needs.
What is recited from its own prefix is missed only if neither pass has a run of `passages.RUN` in it.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Bool, Int, UInt8
from numpy.lib.stride_tricks import sliding_window_view

from memloc.model.subject import Subject
from memloc.scoring.paragraph_scores import score
from memloc.scoring.passages import Starts, covered, recited_windows

UNKNOWN, OTHER, FIRST = range(
    3
)  # of a token or window: nothing is known, it is no first choice or not recited, it is
PIECE = 256  # windows that are decoded at a time
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
        self.width = min(2 * length, most)

    def first_choices(
        self, known: UInt8[np.ndarray, "2 token"], advance: Advance
    ) -> Bool[np.ndarray, "token"]:
        """Whether each token is the first choice in windows of `width` tokens at either offset.

        `known` says what is known of every token for both offsets: it is filled in, and what it holds already
        is not run. `advance` is told how many more tokens are done.
        """
        n_tokens, n_skipped = self.width * self.subject.micro_batch, 0
        for offset, found in zip((0, self.width // 2), known, strict=True):
            found[:offset] = OTHER
            n_skipped += offset
            for first in range(offset, len(self.tokens), n_tokens):
                some = self.tokens[first : first + n_tokens]
                n_skipped += len(some)
                if (found[first : first + n_tokens] == UNKNOWN).any():
                    rows = np.pad(np.maximum(some, 0), (0, -len(some) % self.width))
                    chosen = _first_choices(self.subject, rows.reshape(-1, self.width))
                    found[first : first + n_tokens] = OTHER + (chosen.flatten()[: len(some)] & (some >= 0))
                    advance(n_skipped)
                    n_skipped = 0
        return (known == FIRST).any(axis=0)

    def passages(
        self, starts: Starts, decoded: UInt8[np.ndarray, "token"], advance: Advance
    ) -> Int[np.ndarray, "passage 3"]:
        """What is recited of the windows at some starts: first token, end, tokens that come out in one go.

        `decoded` says which windows are known to be recited, by their starts, as `known` of `first_choices`
        does of tokens; `advance` is told how many more are. No more than `most` tokens come out in one go.
        """
        n_prefix, n_before = self.subject.n_prefix, int(self.subject.before is not None)
        n = self.length - n_prefix

        def recited(some: Starts) -> Bool[np.ndarray, "window"]:
            left = some[decoded[some] == UNKNOWN]
            advance(len(some) - len(left))
            for at in range(0, len(left), PIECE):
                piece = left[at : at + PIECE]
                decoded[piece] = OTHER + (self._n_right(piece, self.length) == n)
                advance(len(piece))
            return decoded[some] == FIRST

        first, end = covered(recited_windows(starts, n, recited), self.length, n_prefix).T
        starts, at_once = first - n_prefix, np.zeros(len(first), np.int64)
        lengths = np.minimum(end - starts, self.most - n_before)
        for length in np.unique(lengths):
            at_once[lengths == length] = self._n_right(starts[lengths == length], int(length))
        return np.stack([first, end, at_once], axis=1)

    def _n_right(self, starts: Starts, length: int) -> Int[np.ndarray, "window"]:
        """How many tokens the model gets right, given the prefix of each window of `length` tokens."""
        rows = torch.from_numpy(sliding_window_view(self.tokens, length)[starts].astype(np.int64))
        return score(self.subject.of_placed, self.subject.placed(rows), self.threshold).em.numpy()


@torch.inference_mode()
def _first_choices(subject: Subject, rows: Int[np.ndarray, "row token"]) -> Bool[np.ndarray, "row token"]:
    """Whether each token has the largest logit after those before it in its row; the first one has not."""
    rows, subject = torch.from_numpy(rows.astype(np.int64)).to(subject.device), replace(subject, n_prefix=1)
    (chosen,) = subject.unembedded(
        subject.states_in_parts(rows), rows[:, 1:], lambda logits, true: (logits.argmax(dim=-1) == true,)
    )
    return np.pad(chosen.cpu().numpy(), ((0, 0), (1, 0)))
