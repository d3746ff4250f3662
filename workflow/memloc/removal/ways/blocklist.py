"""An n-gram blocklist (MemFree decoding, 2210.17546): no n-gram of the listed continuations is completed.

It looks at the tokens before each new one, prompt included, and forbids those that would complete a listed
n-gram. What is generated is then no verbatim copy, and may be nearly one.
"""

from contextlib import nullcontext

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import LogitsProcessor

from memloc.removal.request import Divert, Request


class NgramBlocklist(LogitsProcessor):
    """Forbid the last token of every n-gram of some paragraphs' continuations, for `model.generate`.

    An n-gram is listed if its last token is in the continuation: it may begin in the prefix.
    """

    def __init__(self, tokens: Int[Tensor, "paragraph token"], n_prefix: int, n: int) -> None:
        self._n_before, self._last = n - 1, {}
        for row in tokens.tolist():
            for place in range(max(n_prefix, n - 1), len(row)):
                self._last.setdefault(tuple(row[place - n + 1 : place]), set()).add(row[place])

    def __call__(
        self, input_ids: Int[Tensor, "row token"], scores: Float[Tensor, "row vocabulary"]
    ) -> Float[Tensor, "row vocabulary"]:
        """The scores, -inf where a token would complete a listed n-gram."""
        before = input_ids[:, max(0, input_ids.shape[1] - self._n_before) :].tolist()
        forbidden = [
            (row, token)
            for row, context in enumerate(before)
            for token in self._last.get(tuple(context if self._n_before else ()), ())
        ]
        if forbidden:
            scores = scores.clone()
            rows, tokens = torch.tensor(forbidden, device=scores.device).T
            scores[rows, tokens] = -torch.inf
        return scores


def ngram_blocklist(request: Request) -> Divert:
    """Block the n-grams of the removed paragraphs; settings are their lengths n."""
    tokens, n_prefix = request.remove, request.n_prefix
    return lambda setting: nullcontext(NgramBlocklist(tokens, n_prefix, int(setting[0])))
