"""Localization methods: the one list of their names.

A method is a line here, and a function with the same name, which planting/methods.py finds. METHOD_LABELS
(figures/parts/methods.py) has labels for methods whose name is not plain enough.
"""

from typing import NamedTuple

ALL_UNITS = ("layer", "head", "neuron", "weight")
UNITS = ("layer", "head", "neuron")
HEADS = ("layer", "head")
NEURONS = ("layer", "neuron")  # for methods to come: the example of docs/planting.md takes it


class Method(NamedTuple):
    """Where a method is used. It changes no result of other methods unless it is `in_ensemble`."""

    units: tuple[str, ...]
    """Units that it scores."""
    in_ensemble: bool = False
    """Whether it enters the mean rank of methods, which grown truth compares with all methods."""


METHODS = {
    "parameter_gradient": Method(ALL_UNITS, in_ensemble=True),
    "gradient_summed": Method(ALL_UNITS, in_ensemble=True),
    "gradient_x_weight": Method(ALL_UNITS, in_ensemble=True),
    "activation_gradient": Method(UNITS, in_ensemble=True),
    "gradient_x_activation": Method(UNITS, in_ensemble=True),
    "integrated_gradients": Method(UNITS, in_ensemble=True),
    "attribution_patching": Method(UNITS, in_ensemble=True),
    "patching": Method(HEADS, in_ensemble=True),
    "zero_ablation": Method(HEADS, in_ensemble=True),
    "mean_ablation": Method(HEADS, in_ensemble=True),
    "rare_tokens": Method(HEADS, in_ensemble=True),
    "weight_size": Method(ALL_UNITS),
    "random": Method(ALL_UNITS),
    "oracle": Method(ALL_UNITS),
}
ENSEMBLE = "ensemble"  # the mean rank of the methods `in_ensemble`
