"""A run continued from one of its layers against the whole run, in every family."""

import pytest
import torch

from memloc.model.passes import Call, call_layer, last_mlp_predicts, recording_calls
from memloc.model.sites import Site, replacing
from memloc.model.subject import Subject


def run_from(subject, calls: list[Call], first: int) -> torch.Tensor:
    rows = calls[first].residual
    for number in range(first, len(calls)):
        rows = call_layer(subject, number, calls[number], rows)
    return rows


@torch.no_grad()
def test_a_run_from_any_layer_on_gives_the_whole_runs_states(any_model, tiny_tokens):
    subject = Subject(any_model, 5)
    with recording_calls(subject) as calls:
        whole = subject.hidden(tiny_tokens)
    assert len(calls) == 3  # two layers, and the norm after them
    for first in range(3):
        torch.testing.assert_close(run_from(subject, calls, first), whole)


@torch.no_grad()
def test_layers_that_are_run_again_take_up_a_change_and_those_below_do_not(any_model, tiny_tokens):
    subject = Subject(any_model, 5)
    with recording_calls(subject) as calls:
        whole = subject.hidden(tiny_tokens)
    with replacing(subject, {Site(0, "resid_pre"): lambda states: 2 * states}):
        changed = subject.hidden(tiny_tokens)
        torch.testing.assert_close(run_from(subject, calls, 0), changed)
        torch.testing.assert_close(run_from(subject, calls, 1), whole)
    assert (changed - whole).abs().max() > 1e-3


@pytest.mark.parametrize("every", [1, 3])
def test_the_last_mlp_is_left_out_where_nothing_reads_it(any_model, tiny_tokens, every):
    """Against whole runs: the states that are read, and the gradients of their loss.

    The last norm fixes the sum of their squares, which would have no gradient.
    """
    subject, seen = Subject(any_model, 5), []

    def run() -> tuple[torch.Tensor, ...]:
        states = subject.hidden(tiny_tokens)[:, 4::every]
        return states, torch.autograd.grad(states.pow(3).sum(), [*subject.weights.values()])

    states, slopes = run()
    watched = any_model.get_submodule(subject.components[-1].module)
    watched.register_forward_hook(lambda _module, inputs, _output: seen.append(inputs[0].shape[1]))
    with last_mlp_predicts(subject, every=every):
        found_states, found_slopes = run()
    run()
    assert seen == [states.shape[1], tiny_tokens.shape[1]]
    torch.testing.assert_close(found_states, states)
    for found, slope in zip(found_slopes, slopes, strict=True):
        rounding = 1e-5 * float(slope.abs().max())  # of a sum of terms that may cancel
        torch.testing.assert_close(found, slope, atol=rounding, rtol=1e-4)
