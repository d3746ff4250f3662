"""Gradients of weighted sums over paragraphs, in micro-batches (paper 5.1 to 5.3).

The gradient of a sum over paragraphs is the sum of their gradients, so it can be added up a few paragraphs at
a time. The result is the gradient of one large batch, with the peak memory of a small one.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor

from memloc.model.subject import Subject, Tokens
from memloc.scoring.losses import paragraph_nll

Gradients = dict[str, Tensor]
"""Parameter name -> gradient, shaped like the parameter."""


@contextmanager
def editable_gradients(subject: Subject, names: Collection[str] | None = None) -> Iterator[None]:
    """Within this context only the named parameters (default: all W_* weights; paper 5.2) collect gradients.

    Autograd skips all other parameters, and all layers below the lowest named one. On exit no gradient is
    left, and every `requires_grad` is restored.
    """
    model, wanted = subject.model, set(subject.weights if names is None else names)
    before = {parameter: parameter.requires_grad for parameter in model.parameters()}
    model.zero_grad(set_to_none=True)
    try:
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(name in wanted)
        yield
    finally:
        for parameter, required in before.items():
            parameter.requires_grad_(required)
        model.zero_grad(set_to_none=True)


def collect_gradients(
    subject: Subject,
    loss: Callable[[slice], Float[Tensor, "paragraph"]],
    weights: Float[Tensor, "n_paragraphs"],
) -> None:
    """Collect the gradient of sum_n weights[n] * loss_n in every `.grad`.

    `loss` maps a slice of the paragraphs to one loss per paragraph. Peak memory depends on the micro-batch
    only. If a GPU runs out of memory, everything is done again with half of it. Every `.grad` must be empty.

    Raises:
        ValueError: there is no paragraph.
        torch.OutOfMemoryError: a single paragraph does not fit.
    """
    if not len(weights):
        raise ValueError("cannot take the gradient over zero paragraphs")
    micro_batch = subject.micro_batch
    while True:
        try:
            for start in range(0, len(weights), micro_batch):
                rows = slice(start, start + micro_batch)
                losses = loss(rows)
                (losses * weights[rows].to(losses)).sum().backward()
            return
        except torch.OutOfMemoryError:
            if micro_batch == 1:
                raise
        # A backward pass that failed has left some of its gradients.
        subject.model.zero_grad(set_to_none=True)
        torch.cuda.empty_cache()
        micro_batch //= 2


def take_gradients(subject: Subject) -> Gradients:
    """Move the collected gradients out of the model, in the order of the W_* weights."""
    gradients = {name: own.grad for name, own in subject.weights.items() if own.requires_grad}
    subject.model.zero_grad(set_to_none=True)
    return gradients


def add_gradients(total: Gradients, gradients: Gradients) -> None:
    """Add gradients to a total in place, in single precision at least."""
    for name, gradient in gradients.items():
        if name in total:
            total[name].add_(gradient)
        else:
            total[name] = gradient.to(torch.promote_types(gradient.dtype, torch.float32), copy=True)


def paragraph_gradients(subject: Subject, tokens: Tokens) -> Iterator[tuple[float, Gradients]]:
    """Each paragraph's continuation NLL and its gradient for every W_* weight, one paragraph a pass."""
    with editable_gradients(subject):
        for paragraph in tokens.split(1):
            nll = paragraph_nll(subject, paragraph).sum()
            nll.backward()
            yield nll.item(), take_gradients(subject)


def nll_gradients(
    subject: Subject,
    tokens: Tokens,
    weights: Float[Tensor, "paragraph"] | None = None,
    names: Collection[str] | None = None,
) -> Gradients:
    """Gradient of the paragraphs' weighted continuation NLLs (default: of their mean; paper Eq. 1).

    It is taken for every W_* weight, or for the named parameters.

    Raises:
        ValueError: there is no paragraph.
    """
    weights = torch.ones(len(tokens)) / len(tokens) if weights is None else weights
    with editable_gradients(subject, names):
        collect_gradients(subject, lambda rows: paragraph_nll(subject, tokens[rows]), weights)
        return take_gradients(subject)
