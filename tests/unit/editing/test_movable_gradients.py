"""Gradients at the movable places against whole gradients, of which these places are read."""

import numpy as np
import pytest
import torch

from memloc.editing import movable_gradients as module
from memloc.editing.gradients import collect_gradients, nll_gradients, paragraph_nll
from memloc.editing.masks import EVERY, at_places, head_weights, random_weights
from memloc.editing.movable_gradients import movable_gradients
from memloc.model.components import editable_parameters
from memloc.model.onednn import use_onednn

N_PREFIX = 5


def collected(model, tokens, movable, micro_batch=3):
    weights = torch.ones(len(tokens)) / len(tokens)
    with movable_gradients(model, movable) as taken:
        collect_gradients(
            model, lambda rows: paragraph_nll(model, tokens[rows], N_PREFIX), weights, micro_batch
        )
        sampled = [name for name, _ in model.named_parameters() if name.endswith(".sampled")]
        return taken(), sampled


def parts(model):
    """A few scattered weights of every second parameter, many of one, and a whole one."""
    names = editable_parameters(model)
    movable = {name: torch.arange(7, model.get_parameter(name).numel(), 50) for name in names[::2]}
    movable[names[1]] = torch.arange(0, model.get_parameter(names[1]).numel(), 2)
    movable[names[3]] = EVERY
    return movable


@pytest.mark.usefixtures("not_intel")
@pytest.mark.parametrize("onednn", [False, True])
def test_gradients_at_places_are_those_of_the_whole(tiny_model, tiny_tokens, onednn):
    if onednn:
        use_onednn(tiny_model)
    movable = parts(tiny_model)
    expected = at_places(nll_gradients(tiny_model, tiny_tokens, N_PREFIX, 100), movable)
    found, sampled = collected(tiny_model, tiny_tokens, movable)
    assert len(sampled) == len(editable_parameters(tiny_model)[::2])
    assert found.keys() == expected.keys()
    for name, gradient in found.items():
        assert expected[name].abs().max() > 0
        torch.testing.assert_close(gradient, expected[name], atol=1e-7, rtol=1e-4)


def test_nothing_is_left_behind(tiny_model, tiny_tokens):
    names = [name for name, _ in tiny_model.named_parameters()]
    movable, logits = parts(tiny_model), tiny_model(tiny_tokens).logits
    collected(tiny_model, tiny_tokens, movable)
    with pytest.raises(RuntimeError, match="stopped"), movable_gradients(tiny_model, movable):
        raise RuntimeError("stopped")
    assert [name for name, _ in tiny_model.named_parameters()] == names
    assert all(weight.requires_grad and weight.grad is None for weight in tiny_model.parameters())
    assert not any(layer._forward_hooks for layer in tiny_model.modules())
    assert torch.equal(tiny_model(tiny_tokens).logits, logits)


def test_a_pass_that_failed_adds_nothing(tiny_gpt_neo, tiny_tokens):
    """A GPU that is too small for the second micro-batch: everything is done again with smaller ones."""
    movable, calls = random_weights(tiny_gpt_neo, 0.01, np.random.default_rng(0)), []
    expected, _ = collected(tiny_gpt_neo, tiny_tokens, movable)

    def nll(rows):
        calls.append(len(tiny_tokens[rows]))
        if len(calls) == 2:
            raise torch.OutOfMemoryError
        return paragraph_nll(tiny_gpt_neo, tiny_tokens[rows], N_PREFIX)

    weights = torch.ones(len(tiny_tokens)) / len(tiny_tokens)
    with movable_gradients(tiny_gpt_neo, movable) as taken:
        collect_gradients(tiny_gpt_neo, nll, weights, 4)
        found = taken()
        assert all(weight.grad is None for weight in tiny_gpt_neo.parameters()), "for the next step"
    assert calls == [4, 3, 2, 2, 2, 1]
    for name, gradient in found.items():
        torch.testing.assert_close(gradient, expected[name], atol=1e-7, rtol=1e-4)


def test_heads_and_other_numbers_take_the_whole_product(tiny_gpt_neo, tiny_tokens):
    _, sampled = collected(tiny_gpt_neo, tiny_tokens, head_weights(tiny_gpt_neo, 1, 0))
    assert not sampled
    few = random_weights(tiny_gpt_neo, 0.01, np.random.default_rng(0))
    tiny_gpt_neo.to(torch.bfloat16)
    assert not any(module.few_weights_move(tiny_gpt_neo, few, name) for name in few)
