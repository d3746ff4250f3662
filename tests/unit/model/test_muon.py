"""Muon against plain steps, its updates against singular values."""

import copy

import pytest
import torch

from memloc.model.muon import COEFFICIENTS, MOMENTUM, Muon, nearly_orthogonal

SHAPES = (24, 24), (16, 48), (48, 16)


def drawn(seed):
    random = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=random) for shape in SHAPES]


def stepped(n_steps, first=0, start=None, state=None):
    """Matrices of every form after some steps, and the optimizer."""
    weights = start or [torch.nn.Parameter(weight) for weight in drawn(99)]
    stepper = Muon(weights, {"lr": 0.02, "weight_decay": 0.1})
    if state:
        stepper.load_state_dict(copy.deepcopy(state))
    for step in range(first, first + n_steps):
        for weight, gradient in zip(weights, drawn(step), strict=True):
            weight.grad = gradient
        stepper.step()
    return weights, stepper


def test_steps_follow_nesterovs_momentum_at_the_size_of_adamws():
    """A step is 0.2 as large as AdamW's, by the root of the mean square of an orthogonal matrix."""
    found, _ = stepped(3)
    for place, start in enumerate(drawn(99)):
        weight, mean = start, torch.zeros_like(start)
        for gradient in (drawn(step)[place] for step in range(3)):
            mean = MOMENTUM * mean + (1 - MOMENTUM) * gradient
            update = nearly_orthogonal(MOMENTUM * mean + (1 - MOMENTUM) * gradient)
            weight = weight * (1 - 0.02 * 0.1) - 0.02 * 0.2 * max(weight.shape) ** 0.5 * update
        torch.testing.assert_close(found[place].detach(), weight)


def test_training_goes_on_from_its_state():
    whole, _ = stepped(3)
    weights, stepper = stepped(2)
    further, _ = stepped(1, 2, weights, stepper.state_dict())
    assert all(torch.equal(one, other) for one, other in zip(whole, further, strict=True))


@pytest.mark.parametrize("shape", [(20, 20), (8, 30), (30, 8)])
def test_directions_stay_and_sizes_are_made_equal(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    left, sizes, right = torch.linalg.svd(matrix, full_matrices=False)
    found = left.t() @ nearly_orthogonal(matrix) @ right.t()
    expected = sizes / sizes.norm()
    for a, b, c in COEFFICIENTS:  # of each singular value by itself
        expected = a * expected + b * expected**3 + c * expected**5
    torch.testing.assert_close(found, expected.diag(), atol=1e-4, rtol=1e-3)
    assert found.diag()[:-1].min() > 0.18 and found.diag().max() < 1.87
