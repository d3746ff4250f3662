"""Gradients of the unlearning objective against full forward passes and loops over paragraphs."""

import copy
from functools import partial

import numpy as np
import plain_gradients as plain
import pytest
import torch
from plain_runs import plain_gradients
from plain_unlearning import moved, train
from torch import Tensor
from transformers import PreTrainedModel

from memloc.data.draws import Parts, draw, draw_controls
from memloc.editing.gradients import nll_gradients
from memloc.editing.objectives import original_states
from memloc.localization import contrastive
from memloc.localization.contrastive import Controls, Texts, contrastive_attribution, contrastive_gradients
from memloc.localization.parameter_gradients import component_scores
from memloc.model.subject import Subject
from memloc.settings.localization import Contrastive

N_PREFIX = 5
subject = partial(Subject, n_prefix=N_PREFIX, micro_batch=3)


def slow_gradients(model: PreTrainedModel, loss: Tensor) -> dict[str, Tensor]:
    return plain_gradients(model, loss, subject(model).weights)


assert_same = partial(torch.testing.assert_close, atol=2e-6, rtol=1e-3)


def terms(model, memorized, controls, original, shares=None, parts=None, **options):
    """Gradients of the objective's two terms at the model's weights, and the rows that these leave."""
    parts = [np.arange(len(memorized))] if parts is None else parts
    shares = np.full(len(controls), 1 / len(controls)) if shares is None else shares
    controls, how = Controls(controls, original, shares), Contrastive(**options)
    return contrastive_gradients(subject(model), memorized, parts, controls, how)


def test_mean_over_memorized_paragraphs_equals_a_loop_away_from_theta0(tiny_llama, tiny_tokens):
    """Each paragraph has its own controls, of which some are drawn twice."""
    model = moved(tiny_llama)
    memorized, non_memorized = tiny_tokens[:3], tiny_tokens[3:]
    drawn = np.array([[0, 1], [1, 3], [3, 1]])
    controls = non_memorized[[0, 1, 3]]
    original = original_states(subject(tiny_llama, micro_batch=2), controls)
    parts = [np.array([2, 0]), np.array([1])]
    shares = np.array([1, 3, 2]) / 6
    *found, sums = terms(model, memorized, controls, original, shares, parts, reference=True)
    nll = sum(-0.1 * plain.nll(model, paragraph[None], N_PREFIX) for paragraph in memorized) / 3
    kl = sum(plain.kl(model, tiny_llama, non_memorized[rows], N_PREFIX) for rows in drawn) / 3
    nll_term, kl_term = slow_gradients(model, nll), slow_gradients(model, kl)
    assert_same(found[0], nll_term)
    assert_same(found[1], kl_term)
    for name in nll_term:
        rows = sums.rows(name)
        torch.testing.assert_close(rows[:2].sum(dim=0) / 3, found[0][name], atol=1e-6, rtol=1e-4)
        torch.testing.assert_close(rows[2], kl_term[name], atol=2e-6, rtol=1e-3)
    alone = slow_gradients(model, -0.1 * plain.nll(model, memorized[1:2], N_PREFIX))
    assert_same({name: sums.rows(name)[1] for name in alone}, alone)


@pytest.fixture(autouse=True)
def a_long_step(monkeypatch):
    monkeypatch.setattr(contrastive, "STEP_RATE", 1e-2)


def attribution(model, tokens, **options):
    """Scores and samples of the objective after a step, with 3 memorized paragraphs in 2 parts."""
    memorized, others = tokens[:3], tokens[3:]
    mean = nll_gradients(subject(model), memorized)
    how = Contrastive(**{"reference": True} | options)
    draws = draw([2, 1], [[0], [1]], np.random.default_rng(0), n_resamples=3)
    parts = Parts([np.array([0, 2]), np.array([1])], draws)
    texts = Texts(memorized, others, draw_controls(3, 4, 2, np.random.default_rng(4)))
    return contrastive_attribution(subject(model), texts, mean, parts, how)


@pytest.mark.parametrize("reference", [False, True])
def test_attribution_is_that_of_the_objective_one_step_of_adam_away(tiny_gpt2, tiny_tokens, reference):
    """Against torch's Adam and the objective written out, with the controls of the same draw.

    A sample has the NLL of its own paragraphs, here of the first part, and the KL of all controls.
    """
    scores, samples = attribution(tiny_gpt2, tiny_tokens, reference=reference)
    stepped = copy.deepcopy(tiny_gpt2)
    memorized, others = tiny_tokens[:3], tiny_tokens[3:]
    weight, every = 0.1 if reference else 1.0, dict.fromkeys(subject(stepped).weights, 1)
    train(stepped, lambda own, _: -weight * plain.nll(own, memorized, N_PREFIX), lambda _: every, 1e-2, 1)
    drawn = draw_controls(3, 4, 2, np.random.default_rng(4))
    part = samples[(samples["sample"] == "part") & (samples["number"] == 0)]
    for found, own in ((scores, memorized), (part, memorized[[0, 2]])):
        nll = -weight * plain.nll(stepped, own, N_PREFIX)
        kl = sum(plain.kl(stepped, tiny_gpt2, others[rows], N_PREFIX) for rows in drawn) / 3
        assert kl > 0.01
        loss = nll + (kl if reference else kl / 7)
        expected = component_scores(subject(stepped), slow_gradients(stepped, loss), "contrastive")["max_abs"]
        assert found["max_abs"].tolist() == pytest.approx(expected.tolist(), rel=1e-3, abs=1e-6)
    before = component_scores(subject(tiny_gpt2), nll_gradients(subject(tiny_gpt2), memorized), "memorized")
    assert scores["max_abs"].corr(before["max_abs"], method="kendall") < 0.99


def test_model_is_left_as_it_was_also_after_an_error(tiny_gpt_neo, tiny_tokens, monkeypatch):
    before = {name: value.clone() for name, value in tiny_gpt_neo.state_dict().items()}
    attribution(tiny_gpt_neo, tiny_tokens)

    def fail(*args, **options):
        raise RuntimeError("no")

    monkeypatch.setattr(contrastive, "contrastive_gradients", fail)
    with pytest.raises(RuntimeError, match="no"):
        attribution(tiny_gpt_neo, tiny_tokens)
    assert all(torch.equal(value, before[name]) for name, value in tiny_gpt_neo.state_dict().items())
    assert all(parameter.grad is None and parameter.requires_grad for parameter in tiny_gpt_neo.parameters())
