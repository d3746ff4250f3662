"""Rounded weights, against a loop over output channels."""

from functools import partial

import pytest
import torch
from torch import nn

from memloc.model.subject import Subject
from memloc.removal.judging import rounded

subject = partial(Subject, n_prefix=1)


@pytest.mark.parametrize("bits", [8, 4])
def test_every_channel_is_on_its_own_grid_and_the_model_is_as_it_was(tiny_model, bits):
    before = {name: weight.detach().clone() for name, weight in tiny_model.named_parameters()}
    with rounded(subject(tiny_model), bits):
        after = {name: weight.detach().clone() for name, weight in tiny_model.named_parameters()}
    for name, weight in tiny_model.named_parameters():
        assert torch.equal(weight, before[name]), name
        if name not in subject(tiny_model).weights:
            assert torch.equal(after[name], before[name]), name
            continue
        linear = isinstance(tiny_model.get_submodule(name.removesuffix(".weight")), nn.Linear)
        channels = zip(*(each[name] if linear else each[name].T for each in (before, after)), strict=True)
        for own, found in channels:
            step = own.abs().max() / (2 ** (bits - 1) - 1)
            torch.testing.assert_close(found, (own / step).round() * step)
            assert len(found.unique()) <= 2**bits - 1
            assert (found - own).abs().max() <= step / 2 * 1.001


def test_weights_of_zero_stay_zero(tiny_gpt2):
    name = next(iter(subject(tiny_gpt2).weights))
    tiny_gpt2.get_parameter(name).data.zero_()
    with rounded(subject(tiny_gpt2), 4):
        assert (tiny_gpt2.get_parameter(name) == 0).all()
