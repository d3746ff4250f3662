"""Ways that train the model.

top, random, all, head   arms of the paper's unlearning (5.3): Adam down -NLL of the paragraphs plus the KL
                         divergence of kept ones
gradient_ascent          moves all weights and keeps nothing
retrained                the model that never saw the paragraphs: trained from the same seed, without them.
                         The gold standard
"""

import torch

from memloc.editing.masks import head_weights, largest, movable_weights
from memloc.editing.steps import Recipe, optimise, origin_of
from memloc.model.weights import EVERY, Movable, n_weights, split_weights
from memloc.removal.request import Change, Request, Setting
from memloc.settings.editing import Editing


def gradient_ascent(request: Request) -> Change:
    """Make the paragraphs less likely with all weights, without regard to other text."""
    return unlearning(request._replace(keep=request.keep[:1]), "all", kl_weight=0.0)


def unlearning(request: Request, arm: str, kl_weight: float = 1.0) -> Change:
    """Unlearn with an arm; settings are learning rates."""
    subject, asked = request.subject, request.how
    how = Editing(steps=asked.steps, fraction=asked.fraction)
    recipe = Recipe("unlearn", how, kl_weight)
    origin = origin_of(subject, request.remove, request.keep, recipe)
    if arm == "head":
        movable = head_weights(subject, *request.heads[0])
    else:
        movable = movable_weights(subject, arm, origin.gradients, how.fraction, request.random)

    def change(setting: Setting, place: Movable | None = None) -> Movable:
        chosen = movable
        if place is not None:
            order = {name: torch.full_like(own, -1).flatten() for name, own in origin.gradients.items()}
            for name, flat in place.items():
                drawn = request.random.random(len(flat), dtype="float32")
                sizes = origin.gradients[name].view(-1)[flat].abs()
                order[name][flat] = sizes if arm == "top" else torch.from_numpy(drawn)
            n = min(n_weights(subject, movable), n_weights(subject, place))
            chosen = split_weights(largest(torch.cat([*order.values()]), n), origin.gradients)
        optimise(subject, origin, chosen, setting[0], recipe)
        return chosen

    return change


def retrained(request: Request) -> Change:
    """Replace all weights by the retrained model's; there is one setting."""

    @torch.no_grad()
    def change(setting: Setting) -> Movable:
        for name, weight in request.subject.model.named_parameters():
            weight.copy_(request.retrained[name])
        return dict.fromkeys(request.retrained, EVERY)

    return change
