"""A run continued from one of its layers against the whole run, in every family."""

from functools import partial

import pytest
import torch

from memloc.model.components import components, editable_parameters, layers_of
from memloc.model.partial_forward import (
    Call,
    LowerLayers,
    call_layer,
    last_mlp_from,
    recording_calls,
)


def run_from(model, calls: list[Call], first: int) -> torch.Tensor:
    rows = calls[first].residual
    for number in range(first, len(calls)):
        rows = call_layer(model, number, calls[number], rows)
    return rows


@torch.no_grad()
def test_a_run_from_any_layer_on_gives_the_whole_runs_states(any_model, tiny_tokens):
    with recording_calls(any_model) as calls:
        whole = any_model.base_model(tiny_tokens, use_cache=False).last_hidden_state
    assert len(calls) == 3  # two layers, and the norm after them
    for first in range(3):
        torch.testing.assert_close(run_from(any_model, calls, first), whole)


@torch.no_grad()
def test_layers_that_are_run_again_take_up_a_change_and_those_below_do_not(any_model, tiny_tokens):
    with recording_calls(any_model) as calls:
        whole = any_model.base_model(tiny_tokens, use_cache=False).last_hidden_state
    layers_of(any_model)[0].register_forward_pre_hook(lambda module, inputs: (2 * inputs[0], *inputs[1:]))
    changed = any_model.base_model(tiny_tokens, use_cache=False).last_hidden_state
    torch.testing.assert_close(run_from(any_model, calls, 0), changed)
    torch.testing.assert_close(run_from(any_model, calls, 1), whole)
    assert (changed - whole).abs().max() > 1e-3


@torch.no_grad()
def test_calls_are_recorded_within_the_context_only(tiny_gpt_neo, tiny_tokens):
    with recording_calls(tiny_gpt_neo) as calls:
        pass
    tiny_gpt_neo(tiny_tokens)
    assert calls == []


def test_lower_layers_run_once_for_each_batch_of_texts(any_model, tiny_tokens):
    """Against whole runs: of texts that were run before and others, with and without gradients."""
    runs, batches = [], [tiny_tokens, tiny_tokens[:3], tiny_tokens, tiny_tokens[:3]]
    layers_of(any_model)[0].register_forward_hook(lambda *_: runs.append(1))

    def states(tokens: torch.Tensor) -> torch.Tensor:
        return any_model.base_model(tokens, use_cache=False).last_hidden_state

    any_model.requires_grad_(False)
    upper = layers_of(any_model)[1].requires_grad_(True)
    weights, before = [*upper.parameters()], states(tiny_tokens)
    below = LowerLayers(any_model, 1)
    with below.once():
        runs.clear()
        first = [states(tokens) for tokens in batches]
        with torch.inference_mode():
            states(tiny_tokens), states(tiny_tokens)
        assert len(runs) == 3
        with torch.no_grad():
            for weight in weights:
                weight.mul_(1.5)
        found = [states(tokens) for tokens in batches]
        slopes = torch.autograd.grad(found[0].square().sum(), weights)
    assert len(runs) == 3
    with below.once():  # what was known is known still
        again = states(tiny_tokens)
    assert len(runs) == 3 and torch.equal(again, found[0])
    whole = states(tiny_tokens)
    assert len(runs) == 4 and (whole - before).abs().max() > 1e-3
    for tokens, old, new in zip(batches, first, found, strict=True):
        torch.testing.assert_close(old, before[: len(tokens)])
        torch.testing.assert_close(new, whole[: len(tokens)])
    for found_slope, slope in zip(slopes, torch.autograd.grad(whole.square().sum(), weights), strict=True):
        torch.testing.assert_close(found_slope, slope)


@pytest.mark.parametrize("spread", [False, True])
def test_the_way_a_model_runs_comes_back_also_after_an_error(tiny_gpt_neo, tiny_tokens, spread):
    """A model that is spread over GPUs runs by a function of its own."""
    base = tiny_gpt_neo.base_model
    if spread:
        base.forward = partial(type(base).forward, base)
    before = vars(base).get("forward")
    with pytest.raises(ZeroDivisionError), LowerLayers(tiny_gpt_neo, 1).once():
        assert vars(base)["forward"] is not before
        raise ZeroDivisionError
    assert vars(base).get("forward") is before


def test_the_last_mlp_is_left_out_where_nothing_reads_it(any_model, tiny_tokens):
    """Against whole runs: the states that are read, and the gradients of their loss."""
    weights, seen = [any_model.get_parameter(name) for name in editable_parameters(any_model)], []

    def run() -> tuple[torch.Tensor, ...]:
        states = any_model.base_model(tiny_tokens, use_cache=False).last_hidden_state[:, 4:]
        return states, torch.autograd.grad(states.square().sum(), weights)

    states, slopes = run()
    watched = any_model.get_submodule(components(any_model)[-1].module)
    watched.register_forward_hook(lambda _module, inputs, _output: seen.append(inputs[0].shape[1]))
    with last_mlp_from(any_model, 4):
        found_states, found_slopes = run()
    run()
    assert seen == [tiny_tokens.shape[1] - 4, tiny_tokens.shape[1]]
    torch.testing.assert_close(found_states, states)
    for found, slope in zip(found_slopes, slopes, strict=True):
        torch.testing.assert_close(found, slope, atol=1e-5, rtol=1e-4)
