"""Activation gradients against finite differences and plain autograd through plain torch hooks."""

import copy

import numpy as np
import pytest
import torch
from plain_hooks import columns
from plain_runs import activation, n_heads
from torch.nn import functional

from memloc.localization.activation_gradients import _logits_before, activation_gradients, impact_gradients
from memloc.model.loading import bridged
from memloc.model.sites import COMPONENTS, HEAD_COMPONENTS
from memloc.model.subject import Subject
from memloc.perturbation.pairs import Pairs

N_PREFIX = 6
IDS = np.array([40, 7, 23, 11, 5, 90, 61])


def of_model(model, tokens, micro_batch=7, reference=False):
    subject = bridged(Subject(model, N_PREFIX, micro_batch))
    return activation_gradients(subject, tokens, IDS, "memorized", reference)


def continuation_nll(logits, tokens, n_tokens):
    """Mean NLL of each paragraph's first `n_tokens` continuation tokens."""
    scored = logits[:, N_PREFIX - 1 : N_PREFIX - 1 + n_tokens].transpose(1, 2)
    return functional.cross_entropy(scored, tokens[:, N_PREFIX : N_PREFIX + n_tokens], reduction="none").mean(
        1
    )


def expected_scores(model, tokens, layer, component, n_tokens):
    """[paragraph, position, head]: plain autograd, one paragraph at a time."""
    scores = []
    for paragraph in tokens.split(1):
        value, logits = activation(model, paragraph, layer, component)
        (gradient,) = torch.autograd.grad(continuation_nll(logits, paragraph, n_tokens).sum(), value)
        if component in HEAD_COMPONENTS:
            heads = [columns(model, component, head) for head in range(n_heads(model, component))]
            scores.append(torch.stack([gradient[0, :, head].abs().amax(-1) for head in heads], dim=-1))
        else:
            scores.append(gradient[0].abs().amax(-1, keepdim=True))
    return torch.stack(scores)


def as_array(frame, layer, component, n_positions):
    rows = frame.query("layer == @layer and component == @component").copy()
    rows["head"] = rows["head"].fillna(0)
    rows["order"] = rows["id"].map({number: order for order, number in enumerate(IDS)})
    values = rows.sort_values(["order", "position", "head"]).max_abs.to_numpy()
    return torch.tensor(values).reshape(len(IDS), n_positions, -1)


@pytest.mark.parametrize(("reference", "n_tokens", "n_positions"), [(False, 6, 11), (True, 1, 6)])
def test_scores_equal_plain_autograd_one_paragraph_at_a_time(
    any_model, tiny_tokens, reference, n_tokens, n_positions
):
    plain = copy.deepcopy(any_model)
    frame = of_model(any_model, tiny_tokens, 3, reference)
    for layer in range(2):
        for component in COMPONENTS:
            expected = expected_scores(plain, tiny_tokens, layer, component, n_tokens)
            found = as_array(frame, layer, component, n_positions)
            torch.testing.assert_close(found, expected[:, :n_positions], atol=1e-6, rtol=1e-4)
            assert (expected[:, n_positions:] == 0).all()  # nothing that the loss depends on is left out


def test_impact_gradients_are_read_at_two_positions(tiny_model, tiny_tokens):
    """Each paragraph has its own impact token; its gradient is that of this token's NLL alone."""
    plain = copy.deepcopy(tiny_model)
    perturbed, impact = torch.tensor([0, 5, 3, 2, 5, 1, 4]), torch.tensor([6, 6, 11, 8, 7, 10, 9])
    pairs = Pairs(IDS, tiny_tokens.flip(0), tiny_tokens, perturbed, impact)
    frame = impact_gradients(bridged(Subject(tiny_model, N_PREFIX, 3)), pairs, "perturbed")
    assert len(frame) == sum(7 * 2 * n_heads(plain, component) for component in "qk") * 2
    by_key = frame.set_index(["id", "layer", "component", "role"]).sort_index()
    for number, paragraph in enumerate(tiny_tokens):
        at = {"perturbed": int(perturbed[number]), "impact": int(impact[number]) - 1}
        for layer in range(2):
            for component in "qk":
                value, logits = activation(plain, paragraph[None], layer, component)
                token = paragraph[impact[number]]
                nll = functional.cross_entropy(logits[0, impact[number] - 1], token)
                (gradient,) = torch.autograd.grad(nll, value)
                for role, position in at.items():
                    found = by_key.loc[IDS[number], layer, component, role]
                    assert (found.position == position).all()
                    for head, score in zip(found["head"], found.max_abs, strict=True):
                        expected = gradient[0, position, columns(plain, component, head)].abs().max()
                        assert score == pytest.approx(expected.item(), rel=1e-4, abs=1e-6)


def test_predicting_logits_of_half_precision_are_raised(tiny_gpt2, tiny_tokens):
    position = torch.tensor([1, 11, 4, 6, 2, 9, 5])
    logits = _logits_before(Subject(tiny_gpt2.bfloat16(), N_PREFIX), tiny_tokens, position)
    assert logits.dtype == torch.float32
    whole = tiny_gpt2(tiny_tokens).logits[torch.arange(7), position - 1].float()
    torch.testing.assert_close(logits, whole, atol=0.05, rtol=0.05)


def test_weights_get_no_gradient(tiny_gpt2, tiny_tokens):
    of_model(tiny_gpt2, tiny_tokens)
    assert all(weight.grad is None for weight in tiny_gpt2.parameters())
