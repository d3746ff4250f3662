"""Select the weights that may move in an edit (paper 5.3). An edit moves one arm:

    all         every W_* weight
    top         the fraction of the W_* weights with the largest |gradient of the objective| at θ0
    random      as many random weights

Sizes of selections are exact, so arms that are compared at equal sparsity are equally sparse.
"""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from memloc.editing.gradients import Gradients
from memloc.model.head_groups import stored_head
from memloc.model.subject import Subject
from memloc.model.weights import Movable, all_weights, split_weights

N_SAMPLED = 100_000  # size of the sample that gives a bound on the largest values


def movable_weights(
    subject: Subject, arm: str, gradients: Gradients, fraction: float, random: np.random.Generator
) -> Movable:
    """The weights of an arm; `gradients` are the objective's at θ0."""
    choose = {
        "all": lambda: all_weights(subject),
        "top": lambda: top_weights(gradients, fraction),
        "random": lambda: random_weights(subject, fraction, random),
    }
    return choose[arm]()


def top_weights(gradients: Gradients, fraction: float) -> Movable:
    """The `fraction` of all weights with the largest |gradient| (paper 5.3)."""
    device = next(iter(gradients.values())).device  # layers may lie on several
    flat = torch.cat([gradient.abs().flatten().to(device) for gradient in gradients.values()])
    return split_weights(largest(flat, _n_chosen(len(flat), fraction)), gradients)


def largest(values: Float[Tensor, "value"], n: int) -> Int[Tensor, "n"]:
    """Places of the n largest values.

    A bound from a sample rules most values out first: topk alone takes seconds for 85 million values.
    """
    sample = values[:: max(1, len(values) // N_SAMPLED)]
    n_above = min(len(sample), 100 + 2 * n * len(sample) // len(values))
    candidates = (values >= sample.topk(n_above).values[-1]).nonzero().squeeze(1)
    if len(candidates) < n:  # the sample had more large values than the rest
        return values.topk(n).indices
    return candidates[values[candidates].topk(n).indices]


def random_weights(subject: Subject, fraction: float, random: np.random.Generator) -> Movable:
    """As many weights as `top_weights` selects, drawn uniformly from all W_* weights."""
    parameters = subject.weights
    total = sum(parameter.numel() for parameter in parameters.values())
    chosen = random.choice(total, _n_chosen(total, fraction), replace=False, shuffle=False)
    return split_weights(torch.from_numpy(chosen), parameters)


def head_weights(subject: Subject, layer: int, head: int) -> Movable:
    """W_Q, W_K, W_V and W_O of one query head, including keys and values that it shares with others."""
    selected: dict[str, Tensor] = {}
    for component in subject.components:
        if component.layer == layer and component.n_heads is not None:
            empty = torch.zeros_like(subject.model.get_parameter(component.parameter), dtype=torch.bool)
            mask = selected.setdefault(component.parameter, empty)
            component.view(mask)[stored_head(head, component.n_heads, subject.n_heads)] = True
    return {name: mask.flatten().nonzero().squeeze(1) for name, mask in selected.items()}


def _n_chosen(n_weights: int, fraction: float) -> int:
    return max(1, round(fraction * n_weights))
