"""A run continued from one of its layers against the whole run, in every family."""

import torch

from memloc.model.components import layers_of
from memloc.model.partial_forward import Call, call_layer, recording_calls


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
