"""Contrastive objectives against full forward passes, torch's KLDivLoss and loops over paragraphs."""

import copy

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor
from transformers import PreTrainedModel

import memloc.contrastive as contrastive
from memloc.components import editable_parameters
from memloc.contrastive import (
    collect_objective,
    contrastive_attribution,
    contrastive_gradients,
    contrastive_scores,
    draw_controls,
    original_log_probabilities,
    paragraph_kl,
)
from memloc.decisions import continuation_states
from memloc.gradients import editable_gradients, nll_gradients, paragraph_nll, take_gradients
from memloc.parameter_gradients import component_scores
from memloc.plain import gradients as plain
from memloc.settings import ConfigError, Contrastive, Editing, EditModel, validate

N_PREFIX = 5


@pytest.fixture
def moved(tiny_model) -> PreTrainedModel:
    """The tiny model at other weights than θ0."""
    model = copy.deepcopy(tiny_model)
    torch.manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model


def slow_gradients(model: PreTrainedModel, loss: Tensor) -> dict[str, Tensor]:
    return plain.gradients(model, loss, editable_parameters(model))


def assert_same(fast: dict[str, Tensor], slow: dict[str, Tensor]) -> None:
    assert fast.keys() == slow.keys()
    for name in fast:
        torch.testing.assert_close(fast[name], slow[name], atol=2e-6, rtol=1e-3)


@pytest.mark.parametrize("reference", [False, True])
@pytest.mark.parametrize(("objective", "sign"), [("unlearn", -1), ("edit", 1)])
def test_objective_away_from_theta0(tiny_model, moved, tiny_tokens, objective, sign, reference):
    target, controls = tiny_tokens[:1], tiny_tokens[1:]
    original = original_log_probabilities(tiny_model, controls, N_PREFIX, 4)
    assert not original.requires_grad
    with editable_gradients(moved):
        value = collect_objective(
            moved,
            target,
            controls,
            original,
            N_PREFIX,
            4,
            objective=objective,
            nll_weight=0.1,
            kl_weight=1.0,
            reference=reference,
        )
        fast = take_gradients(moved)
    kl = plain.kl(moved, tiny_model, controls, N_PREFIX)
    assert kl > 0.05
    loss = sign * 0.1 * plain.nll(moved, target, N_PREFIX) + (kl if reference else kl / 7)
    assert value == pytest.approx(loss.item(), rel=1e-4)
    assert_same(fast, slow_gradients(moved, loss))


def test_kl_gradient_is_zero_at_theta0(tiny_model, tiny_tokens):
    drawn = draw_controls(3, 4, 2, np.random.default_rng(0))
    result = contrastive_gradients(
        tiny_model, tiny_tokens[:3], tiny_tokens[3:], drawn, N_PREFIX, 2, nll_weight=1.0, reference=True
    )
    table = contrastive_scores(tiny_model, result)
    assert (table["kl_term_norm"] < 1e-4 * table["nll_term_norm"]).all()
    assert (table["nll_term_norm"] > 0).all()
    assert result.value == pytest.approx(
        -3 * plain.nll(tiny_model, tiny_tokens[:3], N_PREFIX).item(), rel=1e-4
    )


@pytest.mark.parametrize("reference", [False, True])
def test_sum_over_memorized_paragraphs_equals_a_loop(tiny_model, moved, tiny_tokens, monkeypatch, reference):
    """With θ0's probabilities taken from another model the KL term counts, and so do repeated draws."""
    monkeypatch.setattr(
        contrastive,
        "original_log_probabilities",
        lambda model, tokens, n_prefix, micro_batch: original_log_probabilities(
            tiny_model, tokens, n_prefix, micro_batch
        ),
    )
    memorized, non_memorized = tiny_tokens[:3], tiny_tokens[3:]
    drawn = np.array([[0, 1], [1, 3], [3, 1]])
    result = contrastive_gradients(
        moved, memorized, non_memorized, drawn, N_PREFIX, 2, nll_weight=0.5, reference=reference
    )
    nll = sum(-0.5 * plain.nll(moved, paragraph[None], N_PREFIX) for paragraph in memorized)
    kl = sum(plain.kl(moved, tiny_model, non_memorized[rows], N_PREFIX) for rows in drawn) / (
        1 if reference else 7
    )
    assert result.value == pytest.approx((nll + kl).item(), rel=1e-4)
    assert_same(result.nll_term, slow_gradients(moved, nll))
    assert_same(result.kl_term, slow_gradients(moved, kl))


@pytest.mark.parametrize("micro_batch", [1, 3, 4])
def test_micro_batch_does_not_matter(tiny_model, moved, tiny_tokens, micro_batch):
    """With 3 targets and 4 controls, micro-batches hold one kind, the other, or both."""
    target, controls = tiny_tokens[:3], tiny_tokens[3:]
    original = original_log_probabilities(tiny_model, controls, N_PREFIX, micro_batch)
    torch.testing.assert_close(original, original_log_probabilities(tiny_model, controls, N_PREFIX, 100))
    how = {"objective": "edit", "nll_weight": 0.3, "kl_weight": 2.0, "reference": False}
    collected = []
    for size in (micro_batch, 100):
        with editable_gradients(moved):
            collect_objective(moved, target, controls, original, N_PREFIX, size, **how)
            collected.append(take_gradients(moved))
    for name in collected[0]:
        torch.testing.assert_close(collected[0][name], collected[1][name], atol=1e-6, rtol=1e-4)


def test_scores_are_those_of_both_terms_and_norms_those_of_each(tiny_llama, tiny_tokens):
    drawn = draw_controls(2, 5, 3, np.random.default_rng(0))
    result = contrastive_gradients(
        tiny_llama, tiny_tokens[:2], tiny_tokens[2:], drawn, N_PREFIX, 2, nll_weight=0.3, reference=False
    )
    table = contrastive_scores(tiny_llama, result)
    mean = component_scores(tiny_llama, nll_gradients(tiny_llama, tiny_tokens[:2], N_PREFIX, 2))
    assert table["max_abs"].tolist() == pytest.approx(
        (2 * 0.3 * mean["max_abs"]).tolist(), rel=1e-3, abs=1e-6
    )
    whole = torch.cat([gradient.flatten() for gradient in result.nll_term.values()]).norm().item()
    assert (table["nll_term_norm"] ** 2).sum() ** 0.5 == pytest.approx(whole, rel=1e-5)
    assert (table["group"] == "contrastive").all()


def test_a_step_down_the_objective_makes_the_memorized_paragraph_less_likely(tiny_gpt_neo, tiny_tokens):
    memorized, controls = tiny_tokens[:1], tiny_tokens[1:]
    drawn = draw_controls(1, 6, 6, np.random.default_rng(0))
    result = contrastive_gradients(
        tiny_gpt_neo, memorized, controls, drawn, N_PREFIX, 4, nll_weight=1.0, reference=False
    )
    before = paragraph_nll(tiny_gpt_neo, memorized, N_PREFIX).item()
    original = original_log_probabilities(tiny_gpt_neo, controls, N_PREFIX, 4)
    squared_norm, step = 0.0, 1e-3
    with torch.no_grad():
        for name, gradient in result.nll_term.items():
            tiny_gpt_neo.get_parameter(name).sub_(step * gradient)
            squared_norm += gradient.square().sum().item()
        after = paragraph_nll(tiny_gpt_neo, memorized, N_PREFIX).item()
    assert after - before == pytest.approx(step * squared_norm, rel=0.1)
    states = continuation_states(tiny_gpt_neo, controls, N_PREFIX)
    assert (paragraph_kl(tiny_gpt_neo, states, original, reference=False) > 0).all()


def test_model_is_left_as_it_was(tiny_gpt_neo, tiny_tokens):
    before = {name: value.clone() for name, value in tiny_gpt_neo.state_dict().items()}
    drawn = draw_controls(3, 4, 2, np.random.default_rng(0))
    contrastive_gradients(
        tiny_gpt_neo, tiny_tokens[:3], tiny_tokens[3:], drawn, N_PREFIX, 2, nll_weight=1.0, reference=False
    )
    assert all(torch.equal(value, before[name]) for name, value in tiny_gpt_neo.state_dict().items())
    assert all(parameter.grad is None and parameter.requires_grad for parameter in tiny_gpt_neo.parameters())


def test_controls_differ_within_a_draw_and_follow_the_seed():
    drawn = draw_controls(200, 6, 4, np.random.default_rng(5))
    assert drawn.shape == (200, 4)
    assert all(len(set(row)) == 4 for row in drawn.tolist())
    assert np.unique(drawn, axis=0).shape[0] > 100
    counts = np.bincount(drawn.flatten(), minlength=6)
    assert counts.min() > 90 and counts.max() < 180
    assert (drawn == draw_controls(200, 6, 4, np.random.default_rng(5))).all()


def test_too_few_paragraphs_to_draw_from():
    with pytest.raises(ValueError, match="5 controls asked for, but only 3"):
        draw_controls(2, 3, 5, np.random.default_rng(0))


def test_attribution_draws_its_controls_from_the_generator(tiny_gpt2, tiny_tokens):
    options = {"n_controls": 2, "micro_batch": 3, "nll_weight": 0.5, "reference": True}
    memorized, others = tiny_tokens[:2], tiny_tokens[2:]
    table = contrastive_attribution(
        tiny_gpt2, memorized, others, N_PREFIX, np.random.default_rng(4), **options
    )
    drawn = draw_controls(2, 5, 2, np.random.default_rng(4))
    gradients = contrastive_gradients(
        tiny_gpt2, memorized, others, drawn, N_PREFIX, 3, nll_weight=0.5, reference=True
    )
    pd.testing.assert_frame_equal(table, contrastive_scores(tiny_gpt2, gradients))


@pytest.mark.parametrize("section", [Contrastive, Editing, EditModel])
def test_settings_take_the_weight_of_the_authors_code_with_reference_unless_given(section):
    assert section().nll_weight == 1.0
    assert section(reference=True).nll_weight == 0.1
    assert section(reference=True, nll_weight=0.3).nll_weight == 0.3


@pytest.mark.parametrize("section", ["contrastive", "editing", "edit_model"])
def test_settings_refuse_more_controls_than_sampled_paragraphs(section):
    sources = {"data": {"source": "embedded"}, "model": {"source": "embedded"}}
    few = {"contrastive": {"n_controls": 5}, "editing": {"n_controls": 5}}
    config = {"study": "s", **sources, "sets": {"n_non_memorized": 5}} | few
    assert validate(config, "study.yaml").edit_model.n_controls is None
    with pytest.raises(ConfigError, match=rf"\b{section}.n_controls must not exceed"):
        validate(config | {section: {"n_controls": 6}}, "study.yaml")
