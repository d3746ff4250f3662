"""Methods that score single weights. Larger units get the sum, or the largest, of their weights' scores."""

from collections.abc import Mapping

import torch
from torch import Tensor

from memloc.editing.gradients import Gradients, paragraph_gradients
from memloc.model.components import editable_parameters
from memloc.planting.question import Question
from memloc.planting.units import Scores, n_groups, n_neurons, pooled


def parameter_gradient(question: Question) -> Scores:
    """Largest |gradient| of the continuation's NLL (2403.19851, 5.1)."""
    return pooled(question.model, _sizes(_gradients(question)), "max")


def gradient_summed(question: Question) -> Scores:
    """Sum of |gradient| (2403.19851, Figure 9)."""
    return pooled(question.model, _sizes(_gradients(question)), "sum")


def gradient_x_weight(question: Question) -> Scores:
    """Sum of |gradient x weight|: to first order, the change of the NLL when the weight is zeroed
    (1906.10771)."""
    gradients = _gradients(question)
    products = {name: own * question.model.get_parameter(name).detach() for name, own in gradients.items()}
    return pooled(question.model, _sizes(products), "sum")


def weight_size(question: Question) -> Scores:
    """Sum of |weight|: the same for every paragraph."""
    weights = {
        name: question.model.get_parameter(name).detach() for name in editable_parameters(question.model)
    }
    return pooled(question.model, _sizes(weights), "sum")


def change(question: Question) -> Scores:
    """Sum of |change by planting|: the oracle, which knows the answer."""
    return pooled(question.model, _sizes(question.change), "sum")


def random(question: Question) -> Scores:
    """Random scores: chance."""
    model, draw = question.model, question.random.random
    n_layers = model.config.num_hidden_layers
    n_weights = sum(model.get_parameter(name).numel() for name in editable_parameters(model))
    shapes = {
        "layer": (n_layers,),
        "head": (n_layers, n_groups(model)),
        "neuron": (n_layers, n_neurons(model)),
        "weight": (n_weights,),
    }
    return {name: torch.from_numpy(draw(shape, dtype="float32")) for name, shape in shapes.items()}


def _gradients(question: Question) -> Gradients:
    return next(iter(paragraph_gradients(question.model, question.tokens, question.n_prefix)))[1]


def _sizes(weights: Mapping[str, Tensor]) -> Gradients:
    return {name: values.abs() for name, values in weights.items()}
