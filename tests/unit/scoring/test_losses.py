"""Losses with gradients on the spot against plain autograd over all logits."""

from functools import partial

import pytest
import torch

from memloc.model import subject as subjects
from memloc.model.subject import Subject
from memloc.scoring import losses

N_PREFIX = 5
subject = partial(Subject, n_prefix=N_PREFIX)


def plain_nll(logits, target):
    return -logits.log_softmax(dim=-1).gather(-1, target.unsqueeze(-1)).squeeze(-1)


def plain(kind, logits, target):
    """The same losses, by definition, for autograd to differentiate."""
    if kind is losses.nll:
        return plain_nll(logits, target)
    return (target.exp() * (target - logits.log_softmax(dim=-1))).sum(dim=-1)


def target_of(kind, logits):
    random = torch.Generator().manual_seed(4)
    if kind is losses.nll:
        return torch.randint(logits.shape[-1], logits.shape[:-1], generator=random)
    return torch.randn(logits.shape, generator=random).log_softmax(dim=-1)


@pytest.mark.parametrize("n_held", [1, 4, 1000])
@pytest.mark.parametrize("kind", [losses.nll, losses.divergence])
def test_losses_and_gradients_equal_those_of_autograd(tiny_model, tiny_tokens, monkeypatch, kind, n_held):
    unembed = tiny_model.get_output_embeddings()
    monkeypatch.setitem(subjects.LOGITS_BYTES, "cpu", n_held * 4 * unembed.weight.shape[0])
    states = subject(tiny_model).states(tiny_tokens).detach().requires_grad_()
    weights = torch.linspace(-1, 2, states.shape[0] * states.shape[1]).view(states.shape[:-1])
    target = target_of(kind, unembed(states))
    slow = plain(kind, unembed(states), target)
    (slow_slope,) = torch.autograd.grad((slow * weights).sum(), states)
    fast = losses.token_losses(subject(tiny_model), states, kind, target)
    (fast_slope,) = torch.autograd.grad((fast * weights).sum(), states)
    torch.testing.assert_close(fast, slow, atol=2e-6, rtol=1e-5)
    torch.testing.assert_close(fast_slope, slow_slope, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("kind", [losses.nll, losses.divergence])
def test_nothing_as_wide_as_the_vocabulary_is_kept(tiny_gpt_neo, tiny_tokens, kind):
    states = subject(tiny_gpt_neo).states(tiny_tokens).detach().requires_grad_()
    target = target_of(kind, tiny_gpt_neo.get_output_embeddings()(states))
    found = losses.token_losses(subject(tiny_gpt_neo), states, kind, target)
    nodes = reached(found.grad_fn)
    saved = [getattr(node, name) for node in nodes for name in dir(node) if name.startswith("_saved_")]
    assert [each.shape for each in saved if isinstance(each, torch.Tensor)] == [states.shape]
    assert [node for node in nodes if not node.next_functions] == [leaf_of(states)]


def reached(node):
    """A node of autograd's graph, and all nodes that it leads to."""
    return [node, *(each for after, _ in node.next_functions if after for each in reached(after))]


def leaf_of(tensor):
    """Where autograd accumulates the gradient of a leaf."""
    return tensor.view_as(tensor).grad_fn.next_functions[0][0]


def test_half_precision_is_raised(tiny_gpt_neo, tiny_tokens):
    model = tiny_gpt_neo.bfloat16()
    states = subject(model).states(tiny_tokens).detach().requires_grad_()
    found = losses.token_losses(subject(model), states, losses.nll, tiny_tokens[:, N_PREFIX:])
    assert found.dtype == torch.float32
    slow = plain_nll(model.get_output_embeddings()(states).float(), tiny_tokens[:, N_PREFIX:])
    torch.testing.assert_close(found, slow, atol=1e-6, rtol=1e-6)
    found.sum().backward()
    assert states.grad.dtype == torch.bfloat16 and states.grad.abs().sum() > 0


def test_no_token_has_no_loss(tiny_model, tiny_tokens):
    states = subject(tiny_model).states(tiny_tokens)[:0].requires_grad_()
    found = losses.token_losses(subject(tiny_model), states, losses.nll, tiny_tokens[:0, N_PREFIX:])
    assert found.shape == (0, 7)
    found.sum().backward()


@pytest.mark.parametrize("n_held", [3, 1000])
def test_log_probabilities_equal_those_of_all_logits(tiny_model, tiny_tokens, monkeypatch, n_held):
    unembed = tiny_model.get_output_embeddings()
    monkeypatch.setitem(subjects.LOGITS_BYTES, "cpu", n_held * 4 * unembed.weight.shape[0])
    states = subject(tiny_model).states(tiny_tokens)
    found = losses.log_probabilities(subject(tiny_model), states)
    assert not found.requires_grad
    torch.testing.assert_close(found, unembed(states).log_softmax(dim=-1).detach(), atol=2e-6, rtol=1e-5)
