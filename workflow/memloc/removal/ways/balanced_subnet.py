"""BalancedSubnet (2410.02159): the MLP weights with the lowest learned scores are zeroed.

Every weight w has a score. The model runs with the weights that have the largest scores, and with zeros in
place of the others; only the scores are trained. The loss is the NLL of kept paragraphs minus the NLL of
removed ones. Its gradient with respect to the mask is g * w, where g is the gradient with respect to the
masked weights. It serves as the gradient of the scores (straight through), so the score of a weight sinks if
the loss would be lower without the weight.
"""

from collections.abc import Collection

import torch
from jaxtyping import Bool
from torch import Tensor

from memloc.editing.gradients import nll_gradients
from memloc.model.weights import Movable
from memloc.removal.request import Change, Request, Setting

FIRST = 1e-3  # size of the random scores that training starts from
SCORES_RATE = 0.1  # learning rate of the scores
Weights = dict[str, Tensor]


def balanced_subnet(request: Request) -> Change:
    """Zero a share of the MLP weights; settings are shares."""
    original = {name: weight.detach().clone() for name, weight in request.subject.mlp_weights.items()}
    first = {
        name: torch.from_numpy(request.random.standard_normal(weight.shape, dtype="float32")) * FIRST
        for name, weight in original.items()
    }

    def change(setting: Setting, place: Movable | None = None) -> Movable:
        scores = {name: values.to(original[name].device).clone() for name, values in first.items()}
        for name, values in scores.items() if place is not None else ():
            outside = torch.ones(values.numel(), dtype=torch.bool)
            outside[place.get(name, [])] = False
            values[outside.view_as(values)] = torch.inf  # these weights are dropped last
        adam = torch.optim.Adam(scores.values(), lr=SCORES_RATE)
        for _ in range(2 * request.how.steps):
            _write(request, original, dropped(scores, setting[0]))
            for name, gradient in _gradients(request, original).items():
                scores[name].grad = gradient * original[name]
            adam.step()
        zeroed = dropped(scores, setting[0])
        _write(request, original, zeroed)
        return {name: mask.flatten().nonzero().squeeze(1) for name, mask in zeroed.items()}

    return change


def dropped(scores: Weights, share: float) -> dict[str, Bool[Tensor, "..."]]:
    """Masks of the lowest scores over all matrices together: an exact number of weights."""
    flat = torch.cat([values.flatten() for values in scores.values()])
    mask = torch.zeros_like(flat, dtype=torch.bool)
    mask[(-flat).topk(max(1, round(share * len(flat)))).indices] = True
    parts = mask.split([values.numel() for values in scores.values()])
    return {name: part.view_as(scores[name]) for name, part in zip(scores, parts, strict=True)}


@torch.no_grad()
def _write(request: Request, original: Weights, zeroed: dict[str, Bool[Tensor, "..."]]) -> None:
    for name, weight in original.items():
        request.subject.model.get_parameter(name).copy_(weight.masked_fill(zeroed[name], 0))


def _gradients(request: Request, names: Collection[str]) -> Weights:
    """Gradient of mean NLL(kept) - mean NLL(removed) with respect to the named parameters."""
    texts = torch.cat([request.remove, request.keep])
    weights = torch.full((len(texts),), 1 / len(request.keep))
    weights[: len(request.remove)] = -1 / len(request.remove)
    return nll_gradients(request.subject, texts, weights, names)
