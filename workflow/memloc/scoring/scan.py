"""Scan a text for what a model recites, from any start: one pass of the text, then decoding.

The pass tells how much less likely a token is than the model's first choice. Its windows overlap, so that at
least as many tokens stand before each token as in a prefix. It looks at some tokens of every continuation
first, which mostly rule it out: the others take no logits, which are a fourth of a small model's work. What
is recited from its own prefix is missed only if the pass, which mostly sees more text before it, holds it to
be unlikely (`passages.MOST`).
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from numpy.lib.stride_tricks import sliding_window_view
from torch import Tensor

from memloc.model.passes import last_mlp_predicts
from memloc.model.subject import Subject
from memloc.run.progress import Progress
from memloc.scoring import passages
from memloc.scoring.paragraph_scores import score
from memloc.scoring.passages import IMPOSSIBLE, SKIPPED, Starts

UNKNOWN, NO, YES = range(3)  # what is known of a window: it is recited, or not; UNKNOWN is a doubt, too
State = UInt8[np.ndarray, "token"]
LOOKED_AT = 10  # tokens of a continuation, at first


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
        self.n_new = self.width - subject.n_prefix  # tokens of a window of the pass that the last one has not

    def passages(
        self, doubts: State, decoded: State, kept: Callable[[Starts], Starts]
    ) -> Int[np.ndarray, "passage 3"]:
        """What is recited of the windows that are `kept`: first token, end, tokens that come out in one go.

        UNKNOWN `doubts` are filled in, and `decoded`: which windows, by their starts, are recited. A piece is
        decoded after its pass: the time left is that of both. At most `most` tokens come out in one go.
        """
        n_prefix, n_before = self.subject.n_prefix, int(self.subject.before is not None)
        doubts[:n_prefix] = IMPOSSIBLE  # the first prefix is no continuation
        progress, found = Progress(len(doubts), "tokens"), []
        n_piece, every = self.subject.micro_batch * self.n_new, max(1, (self.length - n_prefix) // LOOKED_AT)
        for first in range(n_prefix, len(doubts), n_piece):
            end = min(first + n_piece, len(doubts))
            if (doubts[first:end] == UNKNOWN).any():
                self.judge(range(first, end, self.n_new), doubts, every)
                progress.at(first)  # from here on: without the warm-up
            begin = max(first - self.length + 1, 0)  # of the windows that end in this piece
            both = doubts[begin:end], self.tokens[begin:end]
            worth = partial(passages.worth_decoding, *both, self.length, n_prefix)
            if skipped := self._skipped(begin + worth(), doubts):
                self.judge(skipped, doubts)
            found.append(self._recited(kept(begin + worth()), decoded))
        progress.at(len(doubts))
        first, end = passages.covered(np.concatenate(found), self.length, n_prefix).T
        starts, at_once = first - n_prefix, np.zeros(len(first), np.int64)
        lengths = np.minimum(end - starts, self.most - n_before)
        for length in np.unique(lengths):
            at_once[lengths == length] = self._n_right(starts[lengths == length], int(length))
        return np.stack([first, end, at_once], axis=1)

    def judge(self, firsts: Sequence[int], doubts: State, every: int = 1) -> None:
        """Fill in doubts of each `every`-th token of windows of the pass, by their first new tokens."""
        n_prefix = self.subject.n_prefix
        places = np.array(firsts)[:, None] + np.arange(-n_prefix, self.n_new)
        inside = places[:, n_prefix:] < len(doubts)
        tokens = self.tokens[np.minimum(places, len(doubts) - 1)]
        found = np.full(inside.shape, SKIPPED, np.uint8)
        below = _below(self.subject, np.maximum(tokens, 0), every)
        found[:, ::every] = np.minimum(passages.LEAST + np.rint(passages.PER_NAT * below), IMPOSSIBLE)
        found[tokens[:, n_prefix:] < 0] = IMPOSSIBLE
        doubts[places[:, n_prefix:][inside]] = found[inside]

    def _skipped(self, starts: Starts, doubts: State) -> list[int]:
        """First new tokens of windows of the pass with tokens that some continuations need, and skipped."""
        edges = np.append(starts, starts + self.length - self.subject.n_prefix - 1)
        firsts = self.subject.n_prefix + np.unique(edges // self.n_new) * self.n_new
        return [first for first in firsts if (doubts[first : first + self.n_new] == SKIPPED).any()]

    def _recited(self, starts: Starts, decoded: State) -> Starts:
        """Those of the windows at some starts that are recited, and cover what all of these do."""
        n, size = self.length - self.subject.n_prefix, self.subject.micro_batch
        progress = Progress(0, "prefixes of this part")

        def recited(some: Starts, n_more: int) -> Bool[np.ndarray, "window"]:
            left = some[decoded[some] == UNKNOWN]
            for at in range(0, len(left), size):
                part = left[at : at + size]
                decoded[part] = np.where(self._n_right(part, self.length) == n, YES, NO)
                n_done = np.count_nonzero(decoded[starts])
                progress.at(n_done, most=n_done + np.count_nonzero(decoded[left] == UNKNOWN) + n_more)
            return decoded[some] == YES

        return passages.recited_windows(starts, n, recited)

    def _n_right(self, starts: Starts, length: int) -> Int[np.ndarray, "window"]:
        """How many tokens the model gets right, given the prefix of each window of `length` tokens."""
        rows = torch.from_numpy(sliding_window_view(self.tokens, length)[starts].astype(np.int64))
        return score(self.subject.of_preceded, self.subject.preceded(rows), self.threshold).em.numpy()


@torch.inference_mode()
def _below(subject: Subject, rows: Int[np.ndarray, "row token"], every: int) -> Float[np.ndarray, "row some"]:
    """Nats by which each `every`-th token after the prefix is less likely than the first choice there."""

    def below(logits: Tensor, true: Tensor) -> tuple[Tensor]:
        return (logits.amax(dim=-1) - logits.gather(1, true[:, None]).squeeze(1),)

    rows = torch.from_numpy(rows.astype(np.int64)).to(subject.device)
    with last_mlp_predicts(subject, every=every):
        states = subject.states_in_parts(rows)[:, ::every]
    (found,) = subject.unembedded(states, rows[:, subject.n_prefix :: every], below)
    return found.cpu().numpy()
