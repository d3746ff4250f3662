"""Ways that zero neurons against slow plain rankings: whole models, a neuron or a step at a time."""

import copy

import numpy as np
import pytest
import torch
from jaxtyping import Float, Int
from made_requests import N_PREFIX, assert_same_weights, changed_by, other_text, request
from plain_gradients import nll
from plain_hooks import PLACES, changed, edited
from plain_runs import activation, activation_gradient, integrated_gradients
from torch import Tensor
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from memloc.removal.ways import gates, neurons

Scores = Float[Tensor, "layer neuron"]


def n_neurons(model: PreTrainedModel) -> int:
    with torch.no_grad():
        return activation(model, other_text(1), 0, "post")[0].shape[-1]


def without_the_first(model: PreTrainedModel, scores: Scores, n: int) -> PreTrainedModel:
    """A copy of the model in which the n neurons with the largest scores write nothing."""
    slow = copy.deepcopy(model)
    layers, places = PLACES[model.config.model_type]
    for place in scores.flatten().topk(n).indices.tolist():
        layer, neuron = divmod(place, scores.shape[1])
        module = slow.get_submodule(f"{layers}.{layer}.{places['post'][0]}")
        with torch.no_grad():
            (module.weight if isinstance(module, Conv1D) else module.weight.T)[neuron] = 0
    return slow


def nll_without(model: PreTrainedModel, tokens: Int[Tensor, "1 token"], layer: int, neuron: int) -> float:
    """The paragraph's NLL when one neuron's activation is zeroed, by a pass of the whole model."""
    with torch.no_grad(), changed(model, layer, "post", neuron, torch.zeros_like):
        return float(nll(model, tokens, N_PREFIX))


def likely_effects(
    model: PreTrainedModel, tokens: Int[Tensor, "1 token"], layer: int
) -> Float[Tensor, "neuron"]:
    """|gradient x activation| of every neuron, summed over positions."""
    own, gradient = activation_gradient(model, tokens, N_PREFIX, layer, "post")
    return (own * gradient).sum(dim=(0, 1)).abs()


@pytest.mark.parametrize(("n_texts", "n_candidates", "n_zeroed"), [(2, 24, 6), (2, 1000, 6), (6, 3, 4)])
def test_zero_out_zeroes_the_likely_neurons_whose_absence_costs_most(
    tiny_model, n_texts, n_candidates, n_zeroed, monkeypatch
):
    """Also those that are no candidates of some paragraphs."""
    tokens, n = other_text(n_texts, seed=8), n_neurons(tiny_model)
    rises = torch.zeros(2, n)
    for row in tokens.split(1):
        before = nll(tiny_model, row, N_PREFIX).item()
        likely = torch.stack([likely_effects(tiny_model, row, layer) for layer in range(2)])
        for place in likely.flatten().sort(descending=True).indices[:n_candidates].tolist():
            layer, neuron = divmod(place, n)
            rises[layer, neuron] += max(0.0, nll_without(tiny_model, row, layer, neuron) - before)
    monkeypatch.setattr(neurons, "N_CANDIDATES", n_candidates)
    asked = request(tiny_model, tokens)
    assert (rises > 0).sum() >= n_zeroed
    found = changed_by("neurons_zero_out", asked, (n_zeroed / (2 * n),))
    assert_same_weights(found, without_the_first(tiny_model, rises, n_zeroed))


def test_integrated_gradients_zero_the_neurons_that_matter_on_the_way_from_nothing(tiny_model):
    tokens, n_steps = other_text(2, seed=8), neurons.INTEGRATION_STEPS
    scores = torch.zeros(2, n_neurons(tiny_model))
    for row in tokens:
        for layer, own in enumerate(scores):
            grown = integrated_gradients(tiny_model, row[None], N_PREFIX, layer, "post", n_steps)
            own += grown.sum(dim=(0, 1)).abs()
    asked = request(tiny_model, tokens)
    found = changed_by("neurons_integrated_gradients", asked, (6 / scores.numel(),))
    assert_same_weights(found, without_the_first(tiny_model, scores, 6))


def trained_gates(
    model: PreTrainedModel, tokens: Int[Tensor, "paragraph token"], random: np.random.Generator
) -> Scores:
    """Logits of HardConcrete gates (1712.01312, eq. 10 to 12) after training, on all paragraphs together."""
    noise = torch.Generator().manual_seed(int(random.integers(2**31)))
    beta, gamma, zeta = 2 / 3, -0.1, 1.1
    logits = torch.full((2, n_neurons(model)), gates.FIRST_LOGIT, requires_grad=True)
    adam = torch.optim.Adam([logits], lr=gates.LEARNING_RATE)
    for _ in range(gates.N_STEPS):
        adam.zero_grad()
        u = torch.rand(logits.shape, generator=noise)
        stretched = torch.sigmoid((u.log() - (1 - u).log() + logits) / beta) * (zeta - gamma) + gamma
        first, second = stretched.clamp(0, 1)
        open_ = torch.sigmoid(logits - beta * np.log(-gamma / zeta))
        with (
            edited(model, 0, "post", lambda activation, gate=first: activation * gate),
            edited(model, 1, "post", lambda activation, gate=second: activation * gate),
        ):
            loss = nll(model, tokens, N_PREFIX) + gates.PENALTY * open_.mean()
        loss.backward()
        adam.step()
    return logits.detach()


def test_hard_concrete_zeroes_the_neurons_whose_gates_stay_open(tiny_model, monkeypatch):
    """Few steps and a light penalty; nine paragraphs are eight together and one."""
    monkeypatch.setattr(gates, "N_STEPS", 8)
    monkeypatch.setattr(gates, "PENALTY", 1.0)
    tokens, random = other_text(9, seed=8), np.random.default_rng(0)
    scores = sum(trained_gates(tiny_model, own, random).clamp(min=0) for own in (tokens[:8], tokens[8:]))
    found = changed_by("neurons_hard_concrete", request(tiny_model, tokens), (6 / scores.numel(),))
    assert_same_weights(found, without_the_first(tiny_model, scores, 6))
