"""Select the weights that may move in an edit, and restore them afterwards (paper 5.3).

A selection holds the places of weights in flattened parameters, by the parameter's name. Only W_* weights are
ever selected: no bias, LayerNorm or embedding (paper 5.2). An edit moves one arm:

    all         every W_* weight
    top         the fraction of the W_* weights with the largest |gradient of the objective| at θ0
    random      as many random weights
    head        all weights of one head
    other_head  all weights of a random other head of that layer: does the choice matter (2301.04213)?

Sizes of selections are exact, so arms that are compared at equal sparsity are equally sparse.
"""

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import PreTrainedModel

from memloc.editing.gradients import Gradients
from memloc.model.components import components, editable_parameters
from memloc.model.head_groups import stored_head
from memloc.run.errors import UserError

EVERY = slice(None)
N_SAMPLED = 100_000  # size of the sample that gives a bound on the largest values
Movable = dict[str, Int[Tensor, "weight"] | slice]
"""Parameter name -> ascending flat places of the selected weights, or `EVERY`: the whole parameter."""


class EditError(UserError, RuntimeError):
    """A weight outside the mask has changed, a weight is not finite, or too few weights have changed."""


def movable_weights(
    model: PreTrainedModel,
    arm: str,
    gradients: Gradients,
    fraction: float,
    head: tuple[int, int],
    random: np.random.Generator,
) -> Movable:
    """The weights of an arm; `gradients` are the objective's at θ0, `head` is (layer, head)."""
    choose = {
        "all": lambda: all_weights(model),
        "top": lambda: top_weights(gradients, fraction),
        "random": lambda: random_weights(model, fraction, random),
        "head": lambda: head_weights(model, *head),
        "other_head": lambda: head_weights(model, *another_head(model, head, random)),
    }
    return choose[arm]()


def all_weights(model: PreTrainedModel) -> Movable:
    """Every W_* weight."""
    return dict.fromkeys(editable_parameters(model), EVERY)


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


def random_weights(model: PreTrainedModel, fraction: float, random: np.random.Generator) -> Movable:
    """As many weights as `top_weights` selects, drawn uniformly from all W_* weights."""
    parameters = {name: model.get_parameter(name) for name in editable_parameters(model)}
    total = sum(parameter.numel() for parameter in parameters.values())
    chosen = random.choice(total, _n_chosen(total, fraction), replace=False, shuffle=False)
    return split_weights(torch.from_numpy(chosen), parameters)


def another_head(
    model: PreTrainedModel, head: tuple[int, int], random: np.random.Generator
) -> tuple[int, int]:
    """A random other head of a head's layer, as (layer, head). EditError: the layer has no other."""
    n_heads = model.config.num_attention_heads
    if n_heads == 1:
        raise EditError(
            "editing.extra_arms: other_head needs layers of several heads, and this model has one"
        )
    layer, own = head
    return layer, int(own + 1 + random.integers(n_heads - 1)) % n_heads


def head_weights(model: PreTrainedModel, layer: int, head: int) -> Movable:
    """W_Q, W_K, W_V and W_O of one query head, including keys and values that it shares with others."""
    n_heads = model.config.num_attention_heads
    selected: dict[str, Tensor] = {}
    for component in components(model):
        if component.layer == layer and component.n_heads is not None:
            parameter = model.get_parameter(component.parameter)
            empty = torch.zeros_like(parameter, dtype=torch.bool)
            mask = selected.setdefault(component.parameter, empty)
            component.view(mask)[stored_head(head, component.n_heads, n_heads)] = True
    return {name: mask.flatten().nonzero().squeeze(1) for name, mask in selected.items()}


def n_weights(model: PreTrainedModel, movable: Movable) -> int:
    """Number of selected weights."""
    parameters = {name: model.get_parameter(name).detach().view(-1) for name in movable}
    return sum(parameters[name][places].numel() for name, places in movable.items())


def _n_chosen(n_weights: int, fraction: float) -> int:
    return max(1, round(fraction * n_weights))


def split_weights(chosen: Int[Tensor, "weight"], tensors: Mapping[str, Tensor]) -> Movable:
    """Turn places in the flattened and joined tensors into places in each tensor, on its device."""
    chosen = chosen.sort().values
    selected, start = {}, 0
    for name, tensor in tensors.items():
        within = chosen[(chosen >= start) & (chosen < start + tensor.numel())] - start
        if len(within):
            selected[name] = within.to(tensor.device)
        start += tensor.numel()
    return selected


class OriginalWeights:
    """A copy of all of a model's weights: it restores them bit for bit, and counts the changed ones."""

    def __init__(self, model: PreTrainedModel) -> None:
        self._weights = {name: weight.detach().clone() for name, weight in model.named_parameters()}

    def weight(self, name: str) -> Float[Tensor, "..."]:
        """The original of a parameter."""
        return self._weights[name]

    @torch.no_grad()
    def restore(self, model: PreTrainedModel) -> None:
        """Make the model the original one again."""
        for name, weight in model.named_parameters():
            weight.copy_(self._weights[name])

    @torch.no_grad()
    def n_changed(self, model: PreTrainedModel, movable: Movable) -> int:
        """Number of weights that differ from the original ones.

        Raises:
            EditError: one of them is not among the `movable` ones, or is not finite.
        """
        n_changed = 0
        for name, weight in model.named_parameters():
            if torch.equal(weight, self._weights[name]):
                continue
            changed = (weight != self._weights[name]).flatten()
            n_changed += int(changed.sum())
            if name in movable:
                changed[movable[name]] = False
            if changed.any():
                raise EditError(f"{name}: {int(changed.sum())} weights changed outside of the mask")
            if not weight.isfinite().all():
                raise EditError(f"{name}: weights are not finite any more; take a smaller learning rate")
        return n_changed
