"""Plain runs of models, without code of the library's fast ones: tests compare with them."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack

import torch
from jaxtyping import Float, Int
from plain_gradients import nll
from plain_hooks import changed, columns, edited
from torch import Tensor
from transformers import PreTrainedModel


@torch.no_grad()
def decode(
    model: PreTrainedModel, prefix: Int[Tensor, "paragraph prefix"], n_tokens: int
) -> Int[Tensor, "paragraph continuation"]:
    """Greedy continuation without any cache: the whole context is run again for every token."""
    tokens = prefix
    for _ in range(n_tokens):
        best = model(tokens, use_cache=False).logits[:, -1].argmax(dim=-1)
        tokens = torch.cat([tokens, best[:, None]], dim=1)
    return tokens[:, prefix.shape[1] :]


def plain_gradients(
    model: PreTrainedModel, loss: Float[Tensor, ""], names: Sequence[str]
) -> dict[str, Tensor]:
    """Gradient of the loss with respect to the named parameters."""
    parameters = [model.get_parameter(name) for name in names]
    return dict(zip(names, torch.autograd.grad(loss, parameters), strict=True))


def n_heads(model: PreTrainedModel, component: str) -> int:
    """Heads of q, k, v or z."""
    heads = model.config.num_attention_heads
    return getattr(model.config, "num_key_value_heads", heads) if component in "kv" else heads


def activation(model: PreTrainedModel, tokens: Tensor, layer: int, component: str) -> tuple[Tensor, Tensor]:
    """The activation [batch, position, column] when the model runs the tokens, and the logits of that run."""
    seen = []

    def keep(value: Tensor) -> Tensor:
        seen.append(value)
        return value

    with edited(model, layer, component, keep):
        logits = model(tokens).logits
    return seen[0], logits


def logits_without(
    model: PreTrainedModel,
    heads: Iterable[tuple[int, int]],
    outputs: Mapping[tuple[int, int], Tensor] | Tensor,
    tokens: Tensor,
) -> Tensor:
    """Logits of whole passes in which each of the heads (layer, head) writes what `outputs` has for it."""
    with ExitStack() as stack, torch.no_grad():
        for layer, head in heads:
            own, output = columns(model, "z", head), outputs[layer, head]
            stack.enter_context(changed(model, layer, "z", own, lambda _, output=output: output))
        return model(tokens).logits


def activation_gradient(
    model: PreTrainedModel, tokens: Tensor, n_prefix: int, layer: int, component: str
) -> tuple[Tensor, Tensor]:
    """The activation [1, position, column] of a paragraph, and the gradient of its NLL."""
    own, logits = activation(model, tokens, layer, component)
    loss = torch.nn.functional.cross_entropy(logits[0, n_prefix - 1 : -1], tokens[0, n_prefix:])
    return own.detach(), torch.autograd.grad(loss, own)[0]


def integrated_gradients(
    model: PreTrainedModel, tokens: Tensor, n_prefix: int, layer: int, component: str, n_steps: int
) -> Tensor:
    """Activation x mean gradient [1, position, column] of a paragraph's NLL at the middles of the steps from
    zero, each by a pass of its own.
    """
    with torch.no_grad():
        own, _ = activation(model, tokens, layer, component)
    total = torch.zeros_like(own)
    for step in range(n_steps):
        grown = (own * (step + 0.5) / n_steps).requires_grad_()
        with edited(model, layer, component, lambda _, grown=grown: grown):
            total += torch.autograd.grad(nll(model, tokens, n_prefix), grown)[0]
    return own * total / n_steps
