"""HardConcrete gates: which neurons does the model need to recite paragraphs (1712.01312, 2311.09060)?

A gate multiplies a neuron's activation: it is a stretched, clipped sigmoid of noise and a logit. Logits are
trained on the paragraphs' NLL plus a penalty on the chance that a gate is open; the model's weights stay as
they are. The model needs the neurons whose gates stay open.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from memloc.editing.gradients import editable_gradients
from memloc.model.passes import last_mlp_predicts
from memloc.model.sites import replacing, sites
from memloc.model.subject import Subject
from memloc.model.weights import UnitScores
from memloc.planting.question import Question
from memloc.scoring.losses import paragraph_nll

# Rate and penalty were chosen on paragraphs that no study scores.
N_STEPS = 100
LEARNING_RATE = 0.02
PENALTY = 100.0  # nats per token, where all gates are open
TEMPERATURE, LOW, HIGH = 2 / 3, -0.1, 1.1  # of 1712.01312
FIRST_LOGIT = 2.0
Layers = Float[Tensor, "layer neuron"]


def hard_concrete(subject: Subject, question: Question) -> UnitScores:
    """Logits of the gates of all neurons, trained on the question's paragraphs together."""
    generator = torch.Generator().manual_seed(int(question.random.integers(2**31)))
    shift = TEMPERATURE * torch.log(torch.tensor(-LOW / HIGH))
    logits = torch.full((subject.n_layers, subject.n_neurons), FIRST_LOGIT, device=subject.device)
    adam = torch.optim.Adam([logits.requires_grad_()], lr=LEARNING_RATE)
    with editable_gradients(subject, names=()):
        for _ in range(N_STEPS):
            noise = torch.rand(logits.shape, generator=generator).clamp(1e-6, 1 - 1e-6).to(logits)
            gates = torch.sigmoid((noise.logit() + logits) / TEMPERATURE) * (HIGH - LOW) + LOW
            penalty = PENALTY * torch.sigmoid(logits - shift).mean()
            loss = _gated_nll(subject, question, gates.clamp(0, 1)) + penalty
            (logits.grad,) = torch.autograd.grad(loss, [logits])
            adam.step()
    return {"neuron": logits.detach().cpu()}


def _gated_nll(subject: Subject, question: Question, gates: Layers) -> Float[Tensor, ""]:
    changes = {
        site: lambda activation, layer=site.layer: activation * gates[layer]
        for site in sites(subject, ["post"])
    }
    with replacing(subject, changes), last_mlp_predicts(subject):
        return paragraph_nll(subject, question.tokens).mean()
