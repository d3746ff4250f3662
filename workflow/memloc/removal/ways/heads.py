"""Heads are ablated while decoding: they write their mean output on other text (`localization.ablation`)."""

from memloc.localization.ablation import ablated, mean_outputs
from memloc.removal.request import Divert, Request


def first_heads(request: Request) -> Divert:
    """Ablate the first heads of the combined ranking; settings are their numbers."""
    means = mean_outputs(request.model, request.general, request.how.micro_batch)
    return lambda setting: ablated(request.model, request.heads[: int(setting[0])], means)


def random_heads(request: Request) -> Divert:
    """The same with heads in a random order: a control."""
    order = request.random.permutation(len(request.heads))
    return first_heads(request._replace(heads=[request.heads[place] for place in order]))
