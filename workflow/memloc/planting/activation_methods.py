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


def wanted_kinds(question: Question) -> list[str]:
    """The kinds of units to rank: heads, neurons or both."""
    return [kind for kind in ACTIVATIONS if kind in question.wanted]


def by_unit(subject: Subject, kind: str, activation: Float[Tensor, "row position ..."]) -> Tensor:
    """An activation by unit: [row, position, unit, hidden]."""
    n_units = subject.n_groups if kind == "head" else subject.n_neurons
    return activation.flatten(2).unflatten(-1, (n_units, -1))


def activation_gradient(subject: Subject, question: Question) -> UnitScores:
    """Size of the NLL's gradient with respect to heads' values (2403.19851, 6.1) or neurons' activations.

    For heads it is the largest |gradient| over the hidden dimension, mean over prefix positions; for neurons
    the mean |gradient| over all positions.
    """
    found = {}
    for kind in wanted_kinds(question):
        if kind == "head":
            sizes = [
                gradient[:, : subject.n_prefix].abs().amax(dim=-1).mean(dim=(0, 1))
                for _, gradient in with_gradients(subject, question, "v")
            ]
        else:
            gradients = (gradient for _, gradient in with_gradients(subject, question, ACTIVATIONS[kind]))
            sizes = [by_unit(subject, kind, gradient).abs().mean(dim=(0, 1, 3)) for gradient in gradients]
        found[kind] = torch.stack(sizes).cpu()
    return in_layers(found)


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
    wanted = sites(subject, [ACTIVATIONS[kind] for kind in wanted_kinds(question)])
    with torch.no_grad(), reading(subject, wanted) as other:
        subject.hidden(question.pair.perturbed[:, :-1].to(subject.device))
    return _effects(subject, question, lambda site, activation: activation - other[site])


def integrated_gradients(subject: Subject, question: Question) -> UnitScores:
    """|activation x mean gradient| while a layer's activations grow from zero (1703.01365).

    The midpoint rule takes `integration_steps` steps, all steps of a layer in one batch.
    """
    n_steps, device = question.how.integration_steps, subject.device
    scale = ((torch.arange(n_steps) + 0.5) / n_steps).view(-1, 1, 1).to(device)
    calls, found = recorded_calls(subject, question.tokens), {}
    for kind in wanted_kinds(question):
        effects = []
        for site in sites(subject, [ACTIVATIONS[kind]]):
            scaled: list[Tensor] = []

            def grow(activation: Tensor, scaled: list[Tensor] = scaled) -> Tensor:
                scaled.append((activation.detach().flatten(2) * scale).requires_grad_())
                return scaled[0]

            with replacing(subject, {site: grow}):
                states = _token_states(subject, calls, site.layer, n_steps)
            true = _true(subject, question, n_steps)
            nll = losses.token_losses(subject, states, losses.nll, true).mean(dim=1)
            (gradient,) = torch.autograd.grad(nll.sum(), scaled)
            product = by_unit(subject, kind, gradient * scaled[0].detach() / scale).mean(dim=0)
            effects.append(product.sum(dim=(0, 2)).abs())
        found[kind] = torch.stack(effects).cpu()
    return in_layers(found)


@torch.no_grad()
def rise_without(
    subject: Subject, question: Question, calls: Sequence[Call], layer: int, neurons: Int[Tensor, "neuron"]
) -> Float[Tensor, "neuron"]:
    """Rise of the NLL when each of a layer's neurons is zeroed by itself at all positions.

    The layer runs once for all neurons, up to the output of its MLP. Without a neuron, this output lacks the
    neuron's activation times its value vector.
    """
    if not len(neurons):  # some families cannot run a batch without rows
        return torch.empty(0)
    out, post = subject.component(layer, "W_out"), Site(layer, "post")
    values = subject.by_unit(out, subject.model.get_parameter(out.parameter))
    whole = _token_states(subject, calls, len(calls) - 1, 1)
    whole = score_tokens(subject, whole, _true(subject, question, 1)).nll.mean()

    def without(some: Int[Tensor, "chosen"], output: Tensor) -> Tensor:
        written = kept[post][0, :, some].T.unsqueeze(-1) * values[some].unsqueeze(1)
        return output - written

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
    found = {}
    for kind in wanted_kinds(question):
        pairs = with_gradients(subject, question, ACTIVATIONS[kind])
        effects = []
        for layer, (activation, gradient) in enumerate(pairs):
            product = gradient * difference(Site(layer, ACTIVATIONS[kind]), activation)
            effects.append(by_unit(subject, kind, product).sum(dim=(0, 1, 3)).abs())
        found[kind] = torch.stack(effects).cpu()
    return in_layers(found)


def with_gradients(subject: Subject, question: Question, component: str) -> list[tuple[Tensor, Tensor]]:
    """Activations of every layer, and the NLL's gradients there."""
    wanted = sites(subject, [component])
    with reading(subject, wanted) as found:
        nll = paragraph_nll(subject, question.tokens).sum()
    gradients = found.gradients(nll)
    return [(found[site].detach(), gradients[site]) for site in wanted]


def _token_states(
    subject: Subject, calls: Sequence[Call], layer: int, n_rows: int
) -> Float[Tensor, "row continuation hidden"]:
    """Last hidden states before each token of the continuation, for `n_rows` copies of the recorded row."""
    return states_from(subject, calls, layer, calls[layer].residual.expand(n_rows, -1, -1))


def _true(subject: Subject, question: Question, n_rows: int) -> Int[Tensor, "row continuation"]:
    return question.tokens[:, subject.n_prefix :].to(subject.device).expand(n_rows, -1)
