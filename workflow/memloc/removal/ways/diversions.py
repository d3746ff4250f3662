"""Ways that act while the model decodes, and leave its weights alone.

ngram_blocklist   MemFree decoding (2210.17546) completes no n-gram of the listed continuations. It looks at
                  the tokens before each new one, prompt included. The generated text is then no verbatim
                  copy, but may be nearly one.
heads             heads are ablated: they write their mean output on other text (`localization.ablation`)
steering          a direction is subtracted, times a factor, at every position from the residual stream that
                  enters a layer. The direction is the stream's mean over removed paragraphs minus its mean
                  over kept ones, both at the positions that predict the continuation
"""

from contextlib import AbstractContextManager, nullcontext

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import LogitsProcessor

from memloc.localization.ablation import ablated, mean_outputs, means
from memloc.model.sites import Site, replacing, sites
from memloc.model.subject import Tokens
from memloc.removal.request import Divert, Request, Setting


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
    tokens, n_prefix = request.remove, request.subject.n_prefix
    return lambda setting: nullcontext(NgramBlocklist(tokens, n_prefix, int(setting[0])))


def first_heads(request: Request) -> Divert:
    """Ablate the first heads of the combined ranking; settings are how many."""
    outputs = mean_outputs(request.subject, request.general)
    return lambda setting: ablated(request.subject, request.heads[: int(setting[0])], outputs)


def random_heads(request: Request) -> Divert:
    """Ablate the first heads of a random order, as a baseline."""
    order = request.random.permutation(len(request.heads))
    return first_heads(request._replace(heads=[request.heads[place] for place in order]))


def steering(request: Request) -> Divert:
    """Subtract the difference of means; settings are a depth (share of the layers) and a factor."""
    return _moved(request, _mean_states(request, request.remove) - _mean_states(request, request.keep))


def random_direction(request: Request) -> Divert:
    """Subtract random directions of equal norm, as a baseline."""
    difference = _mean_states(request, request.remove) - _mean_states(request, request.keep)
    drawn = torch.from_numpy(request.random.standard_normal(difference.shape)).to(difference)
    return _moved(request, drawn * (difference.norm(dim=1) / drawn.norm(dim=1)).unsqueeze(1))


def _moved(request: Request, directions: Float[Tensor, "layer hidden"]) -> Divert:
    def divert(setting: Setting) -> AbstractContextManager[None]:
        depth, times = setting
        layer = int(depth * len(directions))
        change = {Site(layer, "resid_pre"): lambda states: states - times * directions[layer].to(states)}
        return replacing(request.subject, change)

    return divert


def _mean_states(request: Request, tokens: Tokens) -> Float[Tensor, "layer hidden"]:
    """Mean of the residual stream that enters each layer, at the positions that predict the continuation."""
    stream, first = sites(request.subject, ["resid_pre"]), request.subject.n_prefix - 1
    return torch.stack([*means(request.subject, stream, tokens[:, :-1], first).values()])
