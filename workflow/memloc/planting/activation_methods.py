"""Methods that score heads and neurons by their activations: a head's output z, a neuron's activation.

Both are the input of a matrix (W_O, W_out), so in every family of models one hook before that matrix reads or
replaces them. The outputs z of query heads that share a key/value head lie side by side and count as one.
"""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import PreTrainedModel

from memloc.editing.gradients import paragraph_nll
from memloc.model.components import components, modules_of
from memloc.model.hooks import changed_input, keeping
from memloc.model.partial_forward import Call, last_mlp_from, recorded_calls, states_from
from memloc.planting.question import Question, Scores, in_layers, n_groups, n_neurons
from memloc.planting.question import by_unit as weights_by_unit
from memloc.scoring import losses
from memloc.scoring.teacher_forcing import score_tokens

READ_BY = {"head": "W_O", "neuron": "W_out"}  # the matrix that reads a unit's activation


def wanted_kinds(question: Question) -> list[str]:
    """The kinds of units to rank: heads, neurons or both."""
    return [kind for kind in READ_BY if kind in question.wanted]


def readers(model: PreTrainedModel, kind: str) -> dict[int, nn.Module]:
    """By layer, the module that takes the units' activations as its input."""
    return modules_of(model, READ_BY[kind])


def by_unit(model: PreTrainedModel, kind: str, activation: Float[Tensor, "row position column"]) -> Tensor:
    """An activation by unit: [row, position, unit, hidden]."""
    return activation.unflatten(-1, (n_groups(model) if kind == "head" else n_neurons(model), -1))


def activation_gradient(question: Question) -> Scores:
    """Size of the NLL's gradient with respect to heads' values (2403.19851, 6.1) or neurons' activations.

    For heads it is the largest |gradient| over the hidden dimension, mean over prefix positions; for neurons
    the mean |gradient| over all positions.
    """
    found = {}
    for kind in wanted_kinds(question):
        if kind == "head":
            sizes = [
                gradient[:, : question.n_prefix].abs().amax(dim=-1).mean(dim=(0, 1))
                for gradient in _value_gradients(question)
            ]
        else:
            sizes = [gradient.abs().mean(dim=(0, 1, 3)) for _, gradient in with_gradients(question, kind)]
        found[kind] = torch.stack(sizes).cpu()
    return in_layers(found)


def gradient_x_activation(question: Question) -> Scores:
    """|gradient x activation|, summed over positions: first-order effect of zeroing the unit (1611.06440)."""
    return _effects(question, lambda kind, layer, activation: activation)


def attribution_patching(question: Question) -> Scores:
    """First-order effect of patching in the perturbed version's activations (2310.10348).

    It is |gradient x difference|, summed over all positions, of each head's output or neuron; the metric is
    the continuation's NLL.
    """
    if question.pair is None:
        return {}
    model, other = question.model, question.pair.perturbed
    modules = {
        (kind, layer): module
        for kind in wanted_kinds(question)
        for layer, module in readers(model, kind).items()
    }
    with torch.no_grad(), keeping(modules) as kept:
        model.base_model(other[:, :-1].to(model.device), use_cache=False)
    return _effects(
        question, lambda kind, layer, activation: activation - by_unit(model, kind, kept[kind, layer][0])
    )


def integrated_gradients(question: Question) -> Scores:
    """|activation x mean gradient| while a layer's activations grow from zero (1703.01365).

    The midpoint rule takes `integration_steps` steps, all steps of a layer in one batch.
    """
    model, n_steps = question.model, question.how.integration_steps
    scale = ((torch.arange(n_steps) + 0.5) / n_steps).view(-1, 1, 1).to(model.device)
    calls, found = recorded_calls(model, question.tokens), {}
    for kind in wanted_kinds(question):
        effects = []
        for layer, module in readers(model, kind).items():
            scaled: list[Tensor] = []

            def grow(activation: Tensor, scaled: list[Tensor] = scaled) -> Tensor:
                scaled.append((activation.detach() * scale).requires_grad_())
                return scaled[0]

            with changed_input(module, grow):
                states = _token_states(question, calls, layer, n_steps)
            nll = losses.token_losses(model, states, losses.nll, _true(question, n_steps)).mean(dim=1)
            (gradient,) = torch.autograd.grad(nll.sum(), scaled)
            product = by_unit(model, kind, gradient * scaled[0].detach() / scale).mean(dim=0)
            effects.append(product.sum(dim=(0, 2)).abs())
        found[kind] = torch.stack(effects).cpu()
    return in_layers(found)


@torch.no_grad()
def rise_without(
    question: Question, calls: Sequence[Call], layer: int, neurons: Int[Tensor, "neuron"]
) -> Float[Tensor, "neuron"]:
    """Rise of the NLL when each of a layer's neurons is zeroed by itself at all positions.

    The layer runs once for all neurons, up to the output of its MLP. Without a neuron, this output lacks the
    neuron's activation times its value vector.
    """
    if not len(neurons):  # some families cannot run a batch without rows
        return torch.empty(0)
    model, module = question.model, readers(question.model, "neuron")[layer]
    out = next(c for c in components(model) if c.layer == layer and c.name == READ_BY["neuron"])
    values = weights_by_unit(model, out, model.get_parameter(out.parameter))
    whole = score_tokens(
        model, _token_states(question, calls, len(calls) - 1, 1), _true(question, 1)
    ).nll.mean()
    found = []
    for some in neurons.to(model.device).split(4 * question.how.micro_batch):

        def without(_: nn.Module, inputs: tuple[Tensor], output: Tensor, some: Tensor = some) -> Tensor:
            written = inputs[0][0, :, some].T.unsqueeze(-1) * values[some].unsqueeze(1)
            return output - written

        with module.register_forward_hook(without), last_mlp_from(model, question.n_prefix - 1):
            states = _token_states(question, calls, layer, 1)
        found.append((score_tokens(model, states, _true(question, len(some))).nll.mean(dim=1) - whole).cpu())
    return torch.cat(found)


def _effects(question: Question, difference: Callable[[str, int, Tensor], Tensor]) -> Scores:
    """|gradient x difference| of every unit, summed over positions and the hidden dimension."""
    found = {}
    for kind in wanted_kinds(question):
        effects = [
            (gradient * difference(kind, layer, activation)).sum(dim=(0, 1, 3)).abs()
            for layer, (activation, gradient) in enumerate(with_gradients(question, kind))
        ]
        found[kind] = torch.stack(effects).cpu()
    return in_layers(found)


def with_gradients(question: Question, kind: str) -> list[tuple[Tensor, Tensor]]:
    """Activations of every layer's units, and the NLL's gradients there: [1, position, unit, hidden]."""
    model = question.model
    with keeping(readers(model, kind)) as kept:
        nll = paragraph_nll(model, question.tokens, question.n_prefix).sum()
    activations = [activation for activation, _ in kept.values()]
    gradients = torch.autograd.grad(nll, activations)
    pairs = zip(activations, gradients, strict=True)
    return [(by_unit(model, kind, own.detach()), by_unit(model, kind, by)) for own, by in pairs]


def _value_gradients(question: Question) -> list[Float[Tensor, "1 position head hidden"]]:
    model = question.model
    values = [component for component in components(model) if component.name == "W_V"]
    with keeping({component.layer: model.get_submodule(component.output) for component in values}) as kept:
        nll = paragraph_nll(model, question.tokens, question.n_prefix).sum()
    gradients = torch.autograd.grad(nll, [output for _, output in kept.values()])
    return [component.heads(gradient) for component, gradient in zip(values, gradients, strict=True)]


def _token_states(
    question: Question, calls: Sequence[Call], layer: int, n_rows: int
) -> Float[Tensor, "row continuation hidden"]:
    """Last hidden states before each token of the continuation, for `n_rows` copies of the recorded row."""
    rows = calls[layer].residual.expand(n_rows, -1, -1)
    return states_from(question.model, calls, layer, rows)[:, question.n_prefix - 1 :]


def _true(question: Question, n_rows: int) -> Int[Tensor, "row continuation"]:
    return question.tokens[:, question.n_prefix :].to(question.model.device).expand(n_rows, -1)
