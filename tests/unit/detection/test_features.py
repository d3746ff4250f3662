"""Features of prefixes against plain passes, one for each paragraph and each shorter prefix."""

import copy

import pytest
import torch

from memloc.detection.features import Where, prefix_features, rarest, residual_states
from memloc.model.components import layers_of

WHERE = Where(n_seen=[3, 7, 12], layers=[0, 1])


def plain_states(model, row, n_seen):
    """Residual stream after every layer, logits and attention of one prefix of `n_seen` tokens."""
    states = []
    hooks = [
        layer.register_forward_hook(
            lambda _m, _i, output: states.append(output[0] if isinstance(output, tuple) else output)
        )
        for layer in layers_of(model)
    ]
    output = model(row[None, :n_seen], use_cache=False, output_attentions=True)
    for hook in hooks:
        hook.remove()
    return states, output.logits[0], output.attentions


@pytest.fixture
def rare(tiny_tokens):
    counts = torch.randint(1, 1000, (64,), generator=torch.Generator().manual_seed(4))
    return rarest(tiny_tokens, counts, WHERE.n_seen)


def test_one_pass_gives_what_a_pass_for_each_prefix_gives(any_model, tiny_tokens, rare):
    found = prefix_features(any_model, tiny_tokens, rare, WHERE, micro_batch=3)
    for number, row in enumerate(tiny_tokens):
        for lead, n_seen in enumerate(WHERE.n_seen):
            states, logits, attentions = plain_states(any_model, row, n_seen)
            torch.testing.assert_close(found.residual[number, lead], states[-1][0, -1], rtol=1e-4, atol=1e-4)
            log_p = logits.log_softmax(-1)
            nll = -log_p[:-1].gather(-1, row[1:n_seen, None]).squeeze(-1)
            torch.testing.assert_close(found.nll[number, : n_seen - 1], nll, rtol=1e-4, atol=1e-4)
            p = log_p.exp()
            mean = (p * log_p).sum(-1)
            deviation = (p * (log_p - mean[:, None]) ** 2).sum(-1).sqrt()
            torch.testing.assert_close(found.mean[number, :n_seen], mean, rtol=1e-4, atol=1e-4)
            torch.testing.assert_close(found.deviation[number, :n_seen], deviation, rtol=1e-3, atol=1e-3)
            at_last = torch.cat([layer[0, :, -1] for layer in attentions])
            entropy = -(at_last * at_last.clamp_min(1e-30).log()).sum(-1)
            to_rare = at_last[:, rare[lead, number, :n_seen]].sum(-1)
            expected = torch.cat([entropy, to_rare])
            torch.testing.assert_close(found.attention[number, lead], expected, rtol=1e-4, atol=1e-4)


def test_gradients_are_those_of_plain_autograd(any_model, tiny_tokens, rare):
    found = prefix_features(copy.deepcopy(any_model), tiny_tokens, rare, WHERE, micro_batch=3)
    for number, row in enumerate(tiny_tokens):
        states, logits, _ = plain_states(any_model, row, len(row))
        gradients = torch.autograd.grad(torch.nn.functional.cross_entropy(logits[:-1], row[1:]), states)
        expected = [g.norm() for g in gradients] + [g.abs().max() for g in gradients]
        torch.testing.assert_close(found.gradients[number], torch.stack(expected), rtol=1e-3, atol=1e-5)


def test_a_model_in_bfloat16_has_features_of_its_rounded_states_in_single_precision(
    tiny_gpt_neo, tiny_tokens, rare
):
    model = tiny_gpt_neo.bfloat16()
    found = prefix_features(model, tiny_tokens, rare, WHERE, micro_batch=99)
    assert {column.dtype for column in found} == {torch.float32}
    with torch.no_grad():
        output = model(tiny_tokens, use_cache=False, output_attentions=True)
    log_p = output.logits.float().log_softmax(-1)
    nll = -log_p[:, :-1].gather(-1, tiny_tokens[:, 1:, None]).squeeze(-1)
    torch.testing.assert_close(found.nll, nll, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(found.mean, (log_p.exp() * log_p).sum(-1), rtol=1e-5, atol=1e-5)
    at_last = torch.cat([layer[:, :, -1] for layer in output.attentions], dim=1).float()
    entropy = torch.special.entr(at_last).sum(-1)
    torch.testing.assert_close(found.attention[:, -1, : entropy.shape[1]], entropy, rtol=1e-5, atol=1e-5)


def test_no_hook_is_left_behind_and_weights_take_no_gradients(tiny_gpt_neo, tiny_tokens, rare):
    prefix_features(tiny_gpt_neo, tiny_tokens, rare, WHERE, micro_batch=4)
    assert not any(weight.requires_grad for weight in tiny_gpt_neo.parameters())
    assert not any(layer._forward_hooks for layer in layers_of(tiny_gpt_neo))


def test_residual_states_are_those_of_the_features(any_model, tiny_tokens, rare):
    found = prefix_features(any_model, tiny_tokens, rare, WHERE, micro_batch=4)
    alone = residual_states(any_model, tiny_tokens, WHERE.n_seen, 1, micro_batch=2)
    torch.testing.assert_close(alone, found.residual, rtol=1e-4, atol=1e-5)


def test_the_rarest_tenth_and_its_ties():
    counts = torch.tensor([9, 8, 1, 1, 5])
    prefix = torch.tensor([[0, 1, 4, 2, 3]])
    found = rarest(prefix, counts, [2, 3, 5])
    assert found[:, 0].int().tolist() == [[0, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 1, 1]]
    many = rarest(torch.arange(20)[None], torch.arange(20) + 1, [10, 11, 20])
    assert many.sum(dim=(1, 2)).tolist() == [1, 2, 2]
