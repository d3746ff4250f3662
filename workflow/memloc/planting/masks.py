"""Trained masks: which units does the model need to recite a paragraph (2311.09060)?

A mask multiplies every unit's activation. It is trained on the paragraph's NLL plus a penalty on its size;
the model's weights stay as they are. The model needs the units with the largest masks most.

    slimming        mask m, trained from 1 on, penalty |m| (1708.06519)
    hard_concrete   m = stretched, clipped sigmoid of noise and a logit, penalty P(m > 0) (1712.01312)
"""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from memloc.editing.gradients import editable_gradients, paragraph_nll
from memloc.model.hooks import changed_input
from memloc.model.partial_forward import last_mlp_from
from memloc.planting.activation_methods import by_unit, readers, wanted_kinds
from memloc.planting.question import Question, Scores, in_layers, n_groups, n_neurons

# Rate and penalties were chosen on paragraphs that no study scores (docs/methods.md, Grown memories).
N_STEPS = 100
LEARNING_RATE = 0.02
PENALTIES = {"slimming": 30.0, "hard_concrete": 100.0}  # nats per token, for a mask that changes nothing
TEMPERATURE, LOW, HIGH = 2 / 3, -0.1, 1.1  # of 1712.01312
FIRST_LOGIT = 2.0
Layers = Float[Tensor, "layer unit"]


def slimming(question: Question) -> Scores:
    """Masks with an L1 penalty (1708.06519, 2311.09060)."""
    weight = PENALTIES["slimming"]
    return _trained(question, 1.0, lambda mask: mask.clamp(min=0), lambda mask: weight * mask.abs().mean())


def hard_concrete(question: Question) -> Scores:
    """Masks with an L0 penalty, open or closed at random while they are trained (1712.01312, 2311.09060)."""
    generator = torch.Generator().manual_seed(int(question.random.integers(2**31)))
    shift, weight = TEMPERATURE * torch.log(torch.tensor(-LOW / HIGH)), PENALTIES["hard_concrete"]

    def sample(logit: Layers) -> Layers:
        noise = torch.rand(logit.shape, generator=generator).clamp(1e-6, 1 - 1e-6).to(logit)
        open_ = torch.sigmoid((noise.logit() + logit) / TEMPERATURE)
        return (open_ * (HIGH - LOW) + LOW).clamp(0, 1)

    return _trained(question, FIRST_LOGIT, sample, lambda logit: weight * torch.sigmoid(logit - shift).mean())


def _trained(
    question: Question,
    start: float,
    mask: Callable[[Layers], Layers],
    penalty: Callable[[Layers], Float[Tensor, ""]],
) -> Scores:
    """Trained masks of the wanted kinds of units, each kind trained by itself."""
    model, found = question.model, {}
    for kind in wanted_kinds(question):
        n_units = n_groups(model) if kind == "head" else n_neurons(model)
        values = torch.full((model.config.num_hidden_layers, n_units), start, device=model.device)
        adam = torch.optim.Adam([values.requires_grad_()], lr=LEARNING_RATE)
        with editable_gradients(model, names=()):
            for _ in range(N_STEPS):
                loss = _masked_nll(question, kind, mask(values)) + penalty(values)
                (values.grad,) = torch.autograd.grad(loss, [values])
                adam.step()
        found[kind] = values.detach().cpu()
    return in_layers(found)


def _masked_nll(question: Question, kind: str, mask: Layers) -> Float[Tensor, ""]:
    model = question.model

    def times(layer: int, activation: Tensor) -> Tensor:
        return (by_unit(model, kind, activation) * mask[layer].unsqueeze(-1)).flatten(-2)

    with ExitStack() as hooks:
        for layer, module in readers(model, kind).items():
            hooks.enter_context(changed_input(module, partial(times, layer)))
        hooks.enter_context(last_mlp_from(model, question.n_prefix - 1))
        return paragraph_nll(model, question.tokens, question.n_prefix).mean()
