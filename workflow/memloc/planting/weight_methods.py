"""Methods that score single weights. Larger units get the sum, or the largest, of their weights' scores."""

import torch

from memloc.editing.gradients import Gradients, paragraph_gradients
from memloc.model.components import editable_parameters
from memloc.planting.question import Question, Scores, pooled


def parameter_gradient(question: Question) -> Scores:
    """Largest |gradient| of the continuation's NLL (2403.19851, 5.1)."""
    return pooled(question.model, _gradients(question), "max")


def gradient_summed(question: Question) -> Scores:
    """Sum of |gradient| (2403.19851, Figure 9)."""
    return pooled(question.model, _gradients(question), "sum")


def gradient_x_weight(question: Question) -> Scores:
    """Sum of |gradient x weight|: first-order change of the NLL when the weight is zeroed (1906.10771)."""
    weights = _weights(question)
    products = {name: own * weights[name] for name, own in _gradients(question).items()}
    return pooled(question.model, products, "sum")


def weight_size(question: Question) -> Scores:
    """Sum of |weight|: the same for every paragraph."""
    return pooled(question.model, _weights(question), "sum")


def oracle(question: Question) -> Scores:
    """Number of the place's weights in the unit: it knows the answer."""
    return pooled(question.model, question.place, "sum")


def random(question: Question) -> Scores:
    """Random scores: chance."""
    draw = question.random.random
    shapes = {name: tuple(scores.shape) for name, scores in weight_size(question).items()}
    return {name: torch.from_numpy(draw(shape, dtype="float32")) for name, shape in shapes.items()}


def _weights(question: Question) -> Gradients:
    model = question.model
    return {name: model.get_parameter(name).detach() for name in editable_parameters(model)}


def _gradients(question: Question) -> Gradients:
    return next(iter(paragraph_gradients(question.model, question.tokens, question.n_prefix)))[1]
