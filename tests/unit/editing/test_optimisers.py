"""Sparse and dense Adam against torch's own and the update written out."""

import copy
from functools import partial

import numpy as np
import pytest
import torch
from plain_gradients import nll
from plain_unlearning import masks, train

from memloc.editing.gradients import nll_gradients
from memloc.editing.masks import head_weights, random_weights
from memloc.editing.optimisers import ReferenceAdam, SparseAdam
from memloc.model.subject import Subject
from memloc.model.weights import all_weights, n_weights

N_PREFIX = 5
subject = partial(Subject, n_prefix=N_PREFIX, micro_batch=7)
ARMS = {
    "all": all_weights,
    "random": lambda own: random_weights(own, 0.02, np.random.default_rng(0)),
    "head": lambda own: head_weights(own, 0, 2),
}


@pytest.mark.parametrize("arm", ARMS)
def test_sparse_adam_is_torchs_adam_on_the_mask_over_20_steps(tiny_gpt2, tiny_tokens, arm):
    """The slow counterpart keeps dense moments and masks gradients."""
    model, slow, movable = tiny_gpt2, copy.deepcopy(tiny_gpt2), ARMS[arm](subject(tiny_gpt2))
    start, n_movable = copy.deepcopy(tiny_gpt2.state_dict()), n_weights(subject(model), movable)
    sparse = SparseAdam(subject(model), movable, 1e-3)
    for _ in range(20):
        sparse.step(nll_gradients(subject(model), tiny_tokens))
    moments = [state[name] for state in sparse._adam.state.values() for name in ("exp_avg", "exp_avg_sq")]
    assert sum(moment.numel() for moment in moments) == 2 * n_movable
    mask = masks(model, movable)
    train(slow, lambda slow, _: nll(slow, tiny_tokens, N_PREFIX), lambda _: mask, 1e-3, 20)
    for name, weight in model.named_parameters():
        torch.testing.assert_close(weight, slow.get_parameter(name), atol=1e-5, rtol=0)  # 1 % of a step
        outside = ~mask[name] if name in mask else torch.ones_like(weight, dtype=torch.bool)
        assert torch.equal(weight[outside], start[name][outside])
    moved = sum(int((weight != start[name]).sum()) for name, weight in model.named_parameters())
    assert 0.9 * n_movable < moved <= n_movable


def test_reference_adam_is_dense_although_gradients_are_masked(tiny_gpt_neo, tiny_tokens):
    """The authors' optimiser, written out: masked gradients, but decay of 1 on every W_* weight."""
    model = tiny_gpt_neo
    movable = random_weights(subject(model), 0.01, np.random.default_rng(0))
    mask = masks(model, movable)
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    slow = {name: before[name].clone() for name in mask}
    first = {name: torch.zeros_like(weight) for name, weight in slow.items()}
    second = {name: torch.zeros_like(weight) for name, weight in slow.items()}
    adam = ReferenceAdam(subject(model), movable, 1e-4)
    for step in range(1, 6):
        gradients = nll_gradients(subject(model), tiny_tokens)
        adam.step({name: gradients[name] for name in movable})
        for name, weight in slow.items():
            total = gradients[name] * mask[name] + 1.0 * weight
            first[name] = 0.9 * first[name] + 0.1 * total
            second[name] = 0.999 * second[name] + 0.001 * total**2
            mean, square = first[name] / (1 - 0.9**step), second[name] / (1 - 0.999**step)
            slow[name] = weight - 1e-4 * mean / (square.sqrt() + 1e-8)
    for name, weight in model.named_parameters():
        if name in slow:
            torch.testing.assert_close(weight.detach(), slow[name], atol=1e-6, rtol=0)  # 1 % of a step
            assert (weight != before[name]).float().mean() > 0.99
        else:
            assert torch.equal(weight, before[name])
    assert all(parameter.grad is None for parameter in model.parameters())
