"""The model that never saw the paragraphs: trained from the same seed, without them. The gold standard."""

import torch

from memloc.editing.masks import EVERY, Movable
from memloc.removal.request import Change, Request, Setting


def retrained(request: Request) -> Change:
    """Put the weights of that model in the place of all others; there is one setting."""

    @torch.no_grad()
    def change(setting: Setting) -> Movable:
        for name, weight in request.model.named_parameters():
            weight.copy_(request.retrained[name])
        return dict.fromkeys(request.retrained, EVERY)

    return change
