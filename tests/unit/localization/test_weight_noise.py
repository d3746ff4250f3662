"""Noise on weights: right size, right weights, repeatable, and taken back."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch

from memloc.editing.gradients import nll_gradients
from memloc.editing.masks import random_weights, top_weights
from memloc.localization import weight_noise
from memloc.localization.weight_noise import add_noise, disturb_weights, standard_deviation
from memloc.model.subject import Subject
from memloc.model.weights import Original, n_weights
from memloc.run.seeds import generator
from memloc.scoring.held_out import Group
from memloc.scoring.paragraph_scores import teacher_forced
from memloc.settings.interventions import WeightNoise

N_PREFIX = 5
subject = partial(Subject, n_prefix=N_PREFIX, micro_batch=4)


def flat(model) -> torch.Tensor:
    return torch.cat([model.get_parameter(name).detach().flatten() for name in subject(model).weights])


def test_noise_has_the_size_and_hits_the_selected_weights_only(tiny_model, tiny_tokens):
    movable = top_weights(nll_gradients(subject(tiny_model, micro_batch=7), tiny_tokens), 0.3)
    original, before = Original(subject(tiny_model)), flat(tiny_model)
    add_noise(subject(tiny_model), movable, 0.5, np.random.default_rng(0))
    assert original.n_changed(movable) == n_weights(subject(tiny_model), movable)
    added = (flat(tiny_model) - before)[flat(tiny_model) != before]
    assert added.std().item() == pytest.approx(0.5, rel=0.1)
    assert added.mean().item() == pytest.approx(0, abs=0.05)


def test_unit_is_the_spread_of_the_weights(tiny_model):
    assert standard_deviation(subject(tiny_model)) == pytest.approx(
        flat(tiny_model).numpy().std(ddof=1), rel=1e-4
    )


@pytest.fixture
def texts(memorized_tokens) -> dict[str, Group]:
    return {
        "memorized": Group(np.array([7, 5, 6, 4]), memorized_tokens[:4], np.zeros(4, dtype=bool)),
        "held_out": Group(
            np.arange(len(memorized_tokens) - 4),
            memorized_tokens[4:].flip(1),
            np.ones(len(memorized_tokens) - 4, dtype=bool),
        ),
    }


@pytest.fixture(autouse=True)
def larger_share(monkeypatch):
    """So small a model has few weights."""
    monkeypatch.setattr(weight_noise, "SPARSE_FRACTION", 0.05)


def disturbed(
    model, texts: dict[str, Group], sizes=(30.0, 0.5), draws: int = 2, seed: int = 1
) -> pd.DataFrame:
    gradients = nll_gradients(subject(model), texts["memorized"].tokens)
    how = WeightNoise(sizes=sizes, draws=draws)
    return disturb_weights(subject(model), texts, gradients, how, seed)


@pytest.mark.parametrize("arm", ["top", "random"])
def test_every_draw_starts_from_the_original_weights(memorizing_model, texts, arm):
    """Noise of the written-out size and stream on the model as it was, for the second draw's larger size."""
    table = disturbed(memorizing_model, texts)
    gradients = nll_gradients(subject(memorizing_model), texts["memorized"].tokens)
    unit = flat(memorizing_model).std().item()
    random = generator(1, "weight_noise", arm, "1")
    chosen = top_weights(gradients, 0.05)
    if arm == "random":
        chosen = random_weights(subject(memorizing_model), 0.05, random)
    original = Original(subject(memorizing_model))
    for size in (0.5, 30.0):
        original.restore()
        add_noise(subject(memorizing_model), chosen, size * unit, random)
    noisy = teacher_forced(subject(memorizing_model, micro_batch=8), texts["memorized"].tokens)
    rows = table[(table["arm"] == arm) & (table["draw"] == 1) & (table["group"] == "memorized")]
    assert rows.loc[rows["size"] == 30, "nll"].tolist() == pytest.approx(noisy.nll.tolist(), rel=1e-4)
