"""Sites of every family against its bridge of TransformerLens, and against plain hooks."""

import copy
from functools import partial

import pytest
import torch
from plain_hooks import changed, columns
from plain_runs import n_heads

from memloc.model.loading import bridged
from memloc.model.sites import HOOKS, PROJECTIONS, Site, around_weights, reading, replacing, sites
from memloc.model.subject import Subject

READ = [component for component in HOOKS if component != "pattern"]


subject = partial(Subject, n_prefix=1)


def test_every_site_and_its_gradient_are_those_of_the_bridge(any_model, tiny_tokens):
    """Both are views by head where heads are; the model's logits stay what they are."""
    own = subject(copy.deepcopy(any_model))
    logits, found = own.model(tiny_tokens).logits, []
    for each in (own, bridged(subject(any_model))):
        wanted = sites(each, READ)
        with reading(each, wanted) as seen:
            states = each.hidden(tiny_tokens)
        torch.testing.assert_close(each.logits(states), logits, atol=1e-4, rtol=1e-4)
        slopes = seen.gradients(each.logits(states).log_softmax(-1)[..., 3].sum())
        found.append({site: (seen[site].detach(), slopes[site]) for site in wanted})
    assert found[0].keys() == found[1].keys() and len(found[0]) == 2 * len(READ)
    for site, pair in found[0].items():
        for value, expected in zip(pair, found[1][site], strict=True):
            torch.testing.assert_close(value, expected, atol=1e-4, rtol=1e-3, msg=str(site))
            assert value.abs().max() > 0


@pytest.mark.parametrize("component", [*PROJECTIONS, "z", "pre", "post"])
def test_a_replaced_site_is_replaced_alone(any_model, tiny_tokens, component):
    """By head where heads are, also in a module that computes queries, keys and values together."""
    heads = component in "qkvz"
    last = columns(any_model, component, n_heads(any_model, component) - 1) if heads else slice(None)

    def rolled(value):
        value = value.clone()
        own = value[..., -1, :] if heads else value
        own.copy_(own.roll(1, -1))
        return value

    whole = any_model(tiny_tokens).logits
    with changed(any_model, 1, component, last, lambda value: value.roll(1, -1)):
        slow = any_model(tiny_tokens).logits
    with replacing(subject(any_model), {Site(1, component): rolled}):
        fast = any_model(tiny_tokens).logits
    torch.testing.assert_close(fast, slow, atol=1e-5, rtol=1e-5)
    assert (fast - whole).abs().max() > 1e-3
    with pytest.raises(RuntimeError), replacing(subject(any_model), {Site(1, component): rolled}):
        raise RuntimeError
    assert torch.equal(any_model(tiny_tokens).logits, whole), "no hook is left"


def test_sites_go_layer_by_layer_and_others_are_refused(tiny_gpt2):
    found = sites(subject(tiny_gpt2), ["v", "q"])
    assert found == [Site(0, "v"), Site(0, "q"), Site(1, "v"), Site(1, "q")]
    for component in ("w", "pattern"):  # which needs a bridge
        with pytest.raises(ValueError, match=f"no component '{component}'"):
            sites(subject(tiny_gpt2), [component])


def test_weights_have_inputs_and_outputs(any_model, tiny_tokens):
    """Every output is the product of the input and the weight, but for a bias."""
    own = subject(any_model)
    with torch.no_grad(), around_weights(any_model, own.weights) as (inputs, outputs):
        own.hidden(tiny_tokens)
    assert inputs.keys() == outputs.keys() == own.weights.keys()
    for name, weight in own.weights.items():
        bias = getattr(own.module(name.removesuffix(".weight")), "bias", None)
        product = inputs[name] @ own.as_linear(name, weight).T + (0 if bias is None else bias)
        torch.testing.assert_close(outputs[name], product, atol=1e-5, rtol=1e-4)
