"""Trained masks: which units does the model need to recite a paragraph (2311.09060)?

A mask multiplies every unit's activation. It is trained on the paragraph's NLL plus a penalty on its size;
the model's weights stay as they are. The model needs the units with the largest masks most.

    slimming        mask m, trained from 1 on, penalty |m| (1708.06519)
    hard_concrete   m = stretched, clipped sigmoid of noise and a logit, penalty P(m > 0) (1712.01312)
"""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from memloc.editing.gradients import editable_gradients
from memloc.model.passes import last_mlp_predicts
from memloc.model.sites import replacing, sites
from memloc.model.subject import Subject
from memloc.model.weights import UnitScores
from memloc.planting.activation_methods import by_unit, site_of
from memloc.planting.question import Question, in_layers
from memloc.scoring.losses import paragraph_nll

# Rate and penalties were chosen on paragraphs that no study scores (docs/methods.md, Grown memories).
N_STEPS = 100
LEARNING_RATE = 0.02
PENALTIES = {"slimming": 30.0, "hard_concrete": 100.0}  # nats per token, for a mask that changes nothing
TEMPERATURE, LOW, HIGH = 2 / 3, -0.1, 1.1  # of 1712.01312
FIRST_LOGIT = 2.0
Layers = Float[Tensor, "layer unit"]


def slimming(subject: Subject, question: Question) -> UnitScores:
    """Masks with an L1 penalty (1708.06519, 2311.09060)."""

    def penalty(mask: Layers) -> Float[Tensor, ""]:
        return PENALTIES["slimming"] * mask.abs().mean()

    return _trained(subject, question, 1.0, lambda mask: mask.clamp(min=0), penalty)


def hard_concrete(subject: Subject, question: Question) -> UnitScores:
    """Masks with an L0 penalty, open or closed at random while they are trained (1712.01312, 2311.09060)."""
    generator = torch.Generator().manual_seed(int(question.random.integers(2**31)))
    shift = TEMPERATURE * torch.log(torch.tensor(-LOW / HIGH))

    def sample(logit: Layers) -> Layers:
        noise = torch.rand(logit.shape, generator=generator).clamp(1e-6, 1 - 1e-6).to(logit)
        open_ = torch.sigmoid((noise.logit() + logit) / TEMPERATURE)
        return (open_ * (HIGH - LOW) + LOW).clamp(0, 1)

    def penalty(logit: Layers) -> Float[Tensor, ""]:
        return PENALTIES["hard_concrete"] * torch.sigmoid(logit - shift).mean()

    return _trained(subject, question, FIRST_LOGIT, sample, penalty)


def _trained(
    subject: Subject,
    question: Question,
    start: float,
    mask: Callable[[Layers], Layers],
    penalty: Callable[[Layers], Float[Tensor, ""]],
) -> UnitScores:
    """Trained masks of the units to rank."""
    n_units = subject.n_groups if question.unit == "head" else subject.n_neurons
    values = torch.full((subject.n_layers, n_units), start, device=subject.device)
    adam = torch.optim.Adam([values.requires_grad_()], lr=LEARNING_RATE)
    with editable_gradients(subject, names=()):
        for _ in range(N_STEPS):
            loss = _masked_nll(subject, question, mask(values)) + penalty(values)
            (values.grad,) = torch.autograd.grad(loss, [values])
            adam.step()
    return in_layers(question, values.detach())


def _masked_nll(subject: Subject, question: Question, mask: Layers) -> Float[Tensor, ""]:
    def times(layer: int, activation: Tensor) -> Tensor:
        return by_unit(subject, question, activation) * mask[layer].unsqueeze(-1)

    changes = {site: partial(times, site.layer) for site in sites(subject, [site_of(question)])}
    with replacing(subject, changes), last_mlp_predicts(subject):
        return paragraph_nll(subject, question.tokens).mean()
