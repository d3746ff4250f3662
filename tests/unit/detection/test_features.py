"""Features of prefixes against plain passes, one for each paragraph and each shorter prefix."""

import torch
from plain_hooks import PLACES

from memloc.detection.features import prefix_features
from memloc.model.subject import Subject

N_SEEN = [3, 7, 12]


def plain_pass(model, row, n_seen):
    """Residual stream after the last layer, and logits, of one prefix of `n_seen` tokens."""
    states = []
    layers = model.get_submodule(PLACES[model.config.model_type][0])
    hook = layers[-1].register_forward_hook(
        lambda _m, _i, output: states.append(output[0] if isinstance(output, tuple) else output)
    )
    with torch.no_grad():
        logits = model(row[None, :n_seen], use_cache=False).logits[0]
    hook.remove()
    return states[0][0, -1], logits


def test_one_pass_gives_what_a_pass_for_each_prefix_gives(any_model, tiny_tokens):
    found = prefix_features(Subject(any_model, 1, 3), tiny_tokens, N_SEEN)
    for number, row in enumerate(tiny_tokens):
        for lead, n_seen in enumerate(N_SEEN):
            residual, logits = plain_pass(any_model, row, n_seen)
            torch.testing.assert_close(found.residual[number, lead], residual, rtol=1e-4, atol=1e-4)
            log_p = logits[:-1].log_softmax(-1)
            nll = -log_p.gather(-1, row[1:n_seen, None]).squeeze(-1)
            torch.testing.assert_close(found.nll[number, : n_seen - 1], nll, rtol=1e-4, atol=1e-4)


def test_a_model_in_bfloat16_has_features_of_its_rounded_states_in_single_precision(
    tiny_gpt_neo, tiny_tokens
):
    model = tiny_gpt_neo.bfloat16()
    found = prefix_features(Subject(model, 1, 99), tiny_tokens, N_SEEN)
    assert {column.dtype for column in found} == {torch.float32}
    with torch.no_grad():
        log_p = model(tiny_tokens, use_cache=False).logits[:, :-1].float().log_softmax(-1)
    nll = -log_p.gather(-1, tiny_tokens[:, 1:, None]).squeeze(-1)
    torch.testing.assert_close(found.nll, nll, rtol=1e-5, atol=1e-5)
