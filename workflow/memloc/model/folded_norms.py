"""Fold norms into the weights that read them, as TransformerLens does by default (authors' code).

y = W (g * x + b) + c of a normalized residual stream x becomes y = W' x + c' with W' = W * g and
c' = c + W b, so that the model computes the same. Gradients differ: with respect to W' they contain x, with
respect to W they contain g * x + b. A bias of the values becomes a bias after W_O, because the attention of a
token sums to one: W_O then reads values without it. TransformerLens also centres weights, which changes no
gradient: every LayerNorm removes the same mean anyway.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers import PreTrainedModel

from memloc.model.components import Component, as_linear, components, family_of, layers_of
from memloc.model.head_groups import stored_head
from memloc.run.errors import InputError

READERS = ("W_Q", "W_K", "W_V"), ("W_gate", "W_in")  # they read the norm before attention, before the MLP


@torch.no_grad()
def fold_norms(model: PreTrainedModel) -> None:
    """Fold value biases and the norms before attention and MLP into the weights that read them, in place.

    Raises:
        InputError: the model's family has norms in other places, or norms without weights.
    """
    family = family_of(model)
    if family.folded_norms is None:
        raise InputError(
            f"norms of {family.title} cannot be folded: take parameter_gradients out of `reference`"
        )
    for layer in layers_of(model):
        for norm_name, readers in zip(family.folded_norms, READERS, strict=True):
            norm = layer.get_submodule(norm_name)
            stored = [family.components[name] for name in readers if name in family.components]
            for module in dict.fromkeys(component.module for component in stored):
                _fold(norm, layer.get_submodule(module))
            norm.weight.fill_(1)
            if getattr(norm, "bias", None) is not None:
                norm.bias.zero_()
    by_layer = {(component.layer, component.name): component for component in components(model)}
    for layer in range(model.config.num_hidden_layers):
        _fold_value_bias(model, by_layer[layer, "W_V"], by_layer[layer, "W_O"])


def _fold(norm: nn.Module, linear: nn.Module) -> None:
    weight = as_linear(linear, linear.weight)
    if getattr(norm, "bias", None) is not None:
        _shift(linear, weight @ norm.bias)
    weight.mul_(norm.weight)


def _fold_value_bias(model: PreTrainedModel, value: Component, output: Component) -> None:
    bias = model.get_submodule(value.module).bias
    if bias is None:
        return
    of_head = value.heads(bias.view(1, 1, -1))[0, 0]
    weights = output.view(model.get_parameter(output.parameter))
    shared = of_head[stored_head(torch.arange(len(weights)), len(of_head), len(weights))]
    _shift(model.get_submodule(output.module), torch.einsum("hd,hdm->m", shared, weights))
    of_head.zero_()


def _shift(linear: nn.Module, by: Float[Tensor, "out"]) -> None:
    linear.bias = nn.Parameter(by if linear.bias is None else linear.bias + by)
