"""Methods that score heads and neurons by their activations: a head's output z, a neuron's activation.

The outputs z of query heads that share a key/value head lie side by side and count as one.
"""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor

from memloc.model.passes import Call, last_mlp_predicts, recorded_calls, states_from
from memloc.model.sites import Site, reading, replacing, sites
from memloc.model.subject import Subject
from memloc.model.weights import UnitScores
from memloc.planting.question import Question, in_layers
from memloc.scoring import losses
from memloc.scoring.losses import paragraph_nll
from memloc.scoring.teacher_forcing import score_tokens

ACTIVATIONS = {"head": "z", "neuron": "post"}  # of units, by their kind


def site_of(question: Question) -> str:
    """The site of the units to rank."""
    return ACTIVATIONS[question.unit]


def in_units(subject: Subject, question: Question, activation: Float[Tensor, "row position ..."]) -> Tensor:
    """An activation of the units to rank: [row, position, unit, hidden]."""
    n_units = subject.n_groups if question.unit == "head" else subject.n_neurons
    return activation.flatten(2).unflatten(-1, (n_units, -1))


def activation_gradient(subject: Subject, question: Question) -> UnitScores:
    """Size of the NLL's gradient with respect to heads' values (2403.19851, 6.1) or neurons' activations.

    For heads it is the largest |gradient| over the hidden dimension, mean over prefix positions; for neurons
    the mean |gradient| over all positions.
    """
    heads, sizes = question.unit == "head", []
    for _, gradient in with_gradients(subject, question, "v" if heads else "post"):
        own = gradient[:, : subject.n_prefix].abs().amax(dim=-1) if heads else gradient.abs()
        sizes.append(own.mean(dim=(0, 1)))
    return in_layers(question, sizes)


def gradient_x_activation(subject: Subject, question: Question) -> UnitScores:
    """|gradient x activation|, summed over positions: first-order effect of zeroing the unit (1611.06440)."""
    return _effects(subject, question, lambda site, activation: activation)


def attribution_patching(subject: Subject, question: Question) -> UnitScores:
    """First-order effect of patching in the perturbed version's activations (2310.10348).

    It is |gradient x difference|, summed over all positions, of each head's output or neuron; the metric is
    the continuation's NLL.
    """
    if question.pair is None:
        return {}
    with torch.no_grad(), reading(subject, sites(subject, [site_of(question)])) as other:
        subject.hidden(question.pair.perturbed[:, :-1].to(subject.device))
    return _effects(subject, question, lambda site, activation: activation - other[site])


def integrated_gradients(subject: Subject, question: Question) -> UnitScores:
    """|activation x mean gradient| while a layer's activations grow from zero (1703.01365).

    The midpoint rule takes `integration_steps` steps, all steps of a layer in one batch.
    """
    n_steps, device = question.how.integration_steps, subject.device
    scale = ((torch.arange(n_steps) + 0.5) / n_steps).view(-1, 1, 1).to(device)
    calls, effects = recorded_calls(subject, question.tokens), []
    for site in sites(subject, [site_of(question)]):
        scaled: list[Tensor] = []

        def grow(activation: Tensor, scaled: list[Tensor] = scaled) -> Tensor:
            scaled.append((activation.detach().flatten(2) * scale).requires_grad_())
            return scaled[0]

        with replacing(subject, {site: grow}):
            states = _token_states(subject, calls, site.layer, n_steps)
        true = _true(subject, question, n_steps)
        nll = losses.token_losses(subject, states, losses.nll, true).mean(dim=1)
        (gradient,) = torch.autograd.grad(nll.sum(), scaled)
        product = in_units(subject, question, gradient * scaled[0].detach() / scale).mean(dim=0)
        effects.append(product.sum(dim=(0, 2)).abs())
    return in_layers(question, effects)


@torch.no_grad()
def rise_without(
    subject: Subject, question: Question, calls: Sequence[Call], layer: int, neurons: Int[Tensor, "neuron"]
) -> Float[Tensor, "neuron"]:
    """Rise of the NLL when each of a layer's neurons is zeroed by itself at all positions.

    The layer runs once for all neurons, up to the output of its MLP. Without a neuron, this output lacks the
    neuron's activation times its value vector.
    """
    out, post = subject.component(layer, "W_out"), Site(layer, "post")
    values = subject.by_unit(out, subject.model.get_parameter(out.parameter))
    whole = _token_states(subject, calls, len(calls) - 1, 1)
    whole = score_tokens(subject, whole, _true(subject, question, 1)).nll.mean()

    def without(some: Int[Tensor, "chosen"], output: Tensor) -> Tensor:
        return output - kept[post][0, :, some].T.unsqueeze(-1) * values[some].unsqueeze(1)

    found = []
    for some in neurons.to(subject.device).split(4 * subject.micro_batch):
        change = replacing(subject, {Site(layer, "mlp_out"): partial(without, some)})
        with reading(subject, [post]) as kept, change, last_mlp_predicts(subject):
            states = _token_states(subject, calls, layer, 1)
        true = _true(subject, question, len(some))
        found.append((score_tokens(subject, states, true).nll.mean(dim=1) - whole).cpu())
    return torch.cat(found)


def _effects(
    subject: Subject, question: Question, difference: Callable[[Site, Tensor], Tensor]
) -> UnitScores:
    """|gradient x difference| of every unit, summed over positions and the hidden dimension."""
    component, effects = site_of(question), []
    for layer, (activation, gradient) in enumerate(with_gradients(subject, question, component)):
        product = gradient * difference(Site(layer, component), activation)
        effects.append(in_units(subject, question, product).sum(dim=(0, 1, 3)).abs())
    return in_layers(question, effects)


def with_gradients(subject: Subject, question: Question, component: str) -> list[tuple[Tensor, Tensor]]:
    """Activations of every layer, and the NLL's gradients there."""
    with reading(subject, sites(subject, [component])) as found:
        nll = paragraph_nll(subject, question.tokens).sum()
    return [(found[site].detach(), gradient) for site, gradient in found.gradients(nll).items()]


def _token_states(
    subject: Subject, calls: Sequence[Call], layer: int, n_rows: int
) -> Float[Tensor, "row continuation hidden"]:
    """Last hidden states before each token of the continuation, for `n_rows` copies of the recorded row."""
    return states_from(subject, calls, layer, calls[layer].residual.expand(n_rows, -1, -1))


def _true(subject: Subject, question: Question, n_rows: int) -> Int[Tensor, "row continuation"]:
    return question.tokens[:, subject.n_prefix :].to(subject.device).expand(n_rows, -1)
