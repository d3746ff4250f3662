"""Folded norms against the model as it was, and against TransformerLens' own folding."""

import copy

import pytest
import torch

from memloc.editing.gradients import nll_gradients
from memloc.model.components import components, family_of
from memloc.model.folded_norms import fold_norms
from memloc.model.loading import boot_bridge
from memloc.run.errors import InputError

N_PREFIX = 5


@pytest.fixture
def biased(any_model):
    """A tiny model whose norms have weights other than one and biases other than zero."""
    torch.manual_seed(3)
    with torch.no_grad():
        for name, parameter in any_model.named_parameters():
            if "ln_" in name or "norm" in name or name.endswith("bias"):
                parameter.add_(0.3 * torch.randn_like(parameter))
    return any_model


def test_the_folded_model_computes_the_same_with_norms_that_do_nothing(biased, tiny_tokens):
    norms = family_of(biased).folded_norms
    if norms is None:
        with pytest.raises(InputError, match="cannot be folded"):
            fold_norms(biased)
        return
    before = biased(tiny_tokens).logits
    fold_norms(biased)
    torch.testing.assert_close(biased(tiny_tokens).logits, before, atol=1e-4, rtol=1e-4)
    names = [f"{norm}.weight" for norm in norms]
    weights = [value for name, value in biased.named_parameters() if name.endswith(tuple(names))]
    assert len(weights) == 2 * 2
    assert all((weight == 1).all() for weight in weights)


def test_gradients_are_those_of_transformer_lens(tiny_gpt_neo, tiny_tokens):
    """Its compatibility mode folds norms and biases and centres weights; all W_* gradients are the same."""
    torch.manual_seed(3)
    with torch.no_grad():
        for parameter in tiny_gpt_neo.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    bridge = boot_bridge(copy.deepcopy(tiny_gpt_neo))
    bridge.enable_compatibility_mode()
    logits = bridge(tiny_tokens)[:, N_PREFIX - 1 : -1]
    torch.nn.functional.cross_entropy(logits.transpose(1, 2), tiny_tokens[:, N_PREFIX:]).backward()
    named = bridge.named_parameters()
    theirs = {name.replace("._original_component", ""): parameter.grad for name, parameter in named}
    fold_norms(tiny_gpt_neo)
    ours = nll_gradients(tiny_gpt_neo, tiny_tokens, N_PREFIX, 3)
    for component in components(tiny_gpt_neo):
        name = component.parameter
        torch.testing.assert_close(ours[name], theirs[name], atol=1e-5, rtol=1e-3)
