"""Methods that score single weights. Larger units get the sum, or the largest, of their weights' scores."""

import torch

from memloc.editing.gradients import Gradients, paragraph_gradients
from memloc.model.subject import Subject
from memloc.model.weights import UnitScores, pooled
from memloc.planting.question import Question


def parameter_gradient(subject: Subject, question: Question) -> UnitScores:
    """Largest |gradient| of the continuation's NLL (2403.19851, 5.1)."""
    return pooled(subject, _gradients(subject, question), "max")


def gradient_summed(subject: Subject, question: Question) -> UnitScores:
    """Sum of |gradient| (2403.19851, Figure 9)."""
    return pooled(subject, _gradients(subject, question), "sum")


def gradient_x_weight(subject: Subject, question: Question) -> UnitScores:
    """Sum of |gradient x weight|: first-order change of the NLL when the weight is zeroed (1906.10771)."""
    weights = _weights(subject)
    products = {name: own * weights[name] for name, own in _gradients(subject, question).items()}
    return pooled(subject, products, "sum")


def weight_size(subject: Subject, question: Question) -> UnitScores:
    """Sum of |weight|: the same for every paragraph."""
    return pooled(subject, _weights(subject), "sum")


def oracle(subject: Subject, question: Question) -> UnitScores:
    """Number of the place's weights in the unit: it knows the answer."""
    return pooled(subject, question.place, "sum")


def random(subject: Subject, question: Question) -> UnitScores:
    """Random scores: chance."""
    draw = question.random.random
    shapes = {name: tuple(scores.shape) for name, scores in weight_size(subject, question).items()}
    return {name: torch.from_numpy(draw(shape, dtype="float32")) for name, shape in shapes.items()}


def _weights(subject: Subject) -> Gradients:
    return {name: weight.detach() for name, weight in subject.weights.items()}


def _gradients(subject: Subject, question: Question) -> Gradients:
    return next(iter(paragraph_gradients(subject, question.tokens)))[1]
