"""Muon in single precision against torch's, and against singular values."""

import copy

import pytest
import torch

from memloc.model.muon import COEFFICIENTS, SinglePrecisionMuon, nearly_orthogonal

SETTINGS = {"lr": 0.02, "weight_decay": 0.1, "adjust_lr_fn": "match_rms_adamw"}
N_ITERATIONS = 5


def stepped(optimizer, n_steps, start=None, state=None):
    """Matrices of every form after some steps, and the optimizer."""
    random = torch.Generator().manual_seed(0)
    shapes = (24, 24), (16, 48), (48, 16)
    weights = start or [torch.nn.Parameter(torch.randn(shape, generator=random)) for shape in shapes]
    stepper = optimizer(weights, **SETTINGS)
    if state:
        stepper.load_state_dict(copy.deepcopy(state))
    for step in range(n_steps):
        random.manual_seed(step)
        for weight in weights:
            weight.grad = torch.randn(weight.shape, generator=random)
        stepper.step()
    return weights, stepper


def test_steps_are_those_of_torch_up_to_bfloat16():
    before, _ = stepped(SinglePrecisionMuon, 0)
    ours, _ = stepped(SinglePrecisionMuon, 4)
    theirs, _ = stepped(torch.optim.Muon, 4)
    for was, one, other in zip(before, ours, theirs, strict=True):
        moved, rounded = (one - was).detach(), (other - was).detach()
        assert 0 < (moved - rounded).norm() < 0.02 * moved.norm()


def test_torch_goes_on_from_its_state():
    """A checkpoint is one, whichever wrote it."""
    ours, stepper = stepped(SinglePrecisionMuon, 2)
    before = [weight.detach().clone() for weight in ours]
    copies = [torch.nn.Parameter(weight.clone()) for weight in before]
    further, _ = stepped(SinglePrecisionMuon, 1, ours, stepper.state_dict())
    theirs, _ = stepped(torch.optim.Muon, 1, copies, stepper.state_dict())
    for was, one, other in zip(before, further, theirs, strict=True):
        assert (one - other).norm() < 0.02 * (one - was).norm()


@pytest.mark.parametrize("shape", [(20, 20), (8, 30), (30, 8)])
def test_directions_stay_and_sizes_are_made_equal(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    left, sizes, right = torch.linalg.svd(matrix, full_matrices=False)
    found = left.t() @ nearly_orthogonal(matrix, N_ITERATIONS) @ right.t()
    expected = sizes / sizes.norm()
    for _ in range(N_ITERATIONS):  # of each singular value by itself
        a, b, c = COEFFICIENTS
        expected = a * expected + b * expected**3 + c * expected**5
    torch.testing.assert_close(found, expected.diag(), atol=1e-4, rtol=1e-3)
    assert found.diag().min() > 0.3 and found.diag().max() < 1.3
