"""Noise on weights: right size, right weights, repeatable, and taken back."""

import numpy as np
import pytest
import torch

from memloc.components import editable_parameters
from memloc.gradients import nll_gradients
from memloc.scoring import teacher_forced
from memloc.weight_noise import add_noise, disturb_weights, set_to_zero, standard_deviation
from memloc.weights import OriginalWeights, all_weights, n_weights, top_weights

N_PREFIX = 5


def flat(model) -> torch.Tensor:
    return torch.cat([model.get_parameter(name).detach().flatten() for name in editable_parameters(model)])


def test_noise_has_the_size_and_hits_the_selected_weights_only(tiny_model, tiny_tokens):
    movable = top_weights(nll_gradients(tiny_model, tiny_tokens, N_PREFIX, 7), 0.3)
    original, before = OriginalWeights(tiny_model), flat(tiny_model)
    add_noise(tiny_model, movable, 0.5, np.random.default_rng(0))
    assert original.n_changed(tiny_model, movable) == n_weights(tiny_model, movable)
    added = (flat(tiny_model) - before)[flat(tiny_model) != before]
    assert added.std().item() == pytest.approx(0.5, rel=0.1)
    assert added.mean().item() == pytest.approx(0, abs=0.05)


def test_zeroing(tiny_model):
    original = OriginalWeights(tiny_model)
    set_to_zero(tiny_model, all_weights(tiny_model))
    assert not flat(tiny_model).any()
    original.restore(tiny_model)
    assert flat(tiny_model).any()


def test_unit_is_the_spread_of_the_weights(tiny_model):
    assert standard_deviation(tiny_model) == pytest.approx(flat(tiny_model).numpy().std(ddof=1), rel=1e-4)


def test_table_holds_every_condition_and_the_model_is_restored(memorizing_model, memorized_tokens):
    texts = {"memorized": memorized_tokens[:4], "held_out": memorized_tokens[4:].flip(1)}
    gradients = nll_gradients(memorizing_model, texts["memorized"], N_PREFIX, 4)
    logits = memorizing_model(memorized_tokens).logits
    options = (texts, gradients, 0.05, (0.5, 30.0), 2, N_PREFIX, 8)
    table = disturb_weights(memorizing_model, *options, seed=1)
    assert torch.equal(memorizing_model(memorized_tokens).logits, logits)
    assert len(table) == 2 * 2 * 4
    assert table["n_weights"].nunique() == 1
    assert table["size"].isna().sum() == 4 and (table.loc[table["size"].isna(), "kind"] == "zero").all()
    whole = teacher_forced(memorizing_model, texts["memorized"], N_PREFIX, 8)
    at_zero = table[table["size"] == 0]
    assert at_zero["nll_memorized"].tolist() == pytest.approx([whole.nll.mean().item()] * 4)
    by_size = table[table["kind"] == "noise"].groupby("size")["nll_memorized"].mean()
    assert by_size[30.0] > by_size[0.5] > by_size[0.0]
    again = disturb_weights(memorizing_model, *options, seed=1)
    assert again.equals(table)
    assert not disturb_weights(memorizing_model, *options, seed=2).equals(table)


def test_zeroed_weights_are_those_of_the_gradient(memorizing_model, memorized_tokens):
    texts = {"memorized": memorized_tokens[:4]}
    gradients = nll_gradients(memorizing_model, texts["memorized"], N_PREFIX, 4)
    table = disturb_weights(memorizing_model, texts, gradients, 0.05, (), 1, N_PREFIX, 8, seed=1)
    set_to_zero(memorizing_model, top_weights(gradients, 0.05))
    slow = teacher_forced(memorizing_model, texts["memorized"], N_PREFIX, 8)
    row = table[(table["arm"] == "top") & (table["kind"] == "zero")].iloc[0]
    assert row["nll_memorized"] == pytest.approx(slow.nll.mean().item(), rel=1e-5)
    assert row["em_memorized"] == slow.em.float().mean().item()
