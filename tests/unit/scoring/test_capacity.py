"""Bits of random tokens: models whose answers are known, and tiny ones that learn until they hold no more."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from memloc.model.training import new_model
from memloc.scoring import capacity
from memloc.settings.model import EmbeddedModel

V = 8
ROWS = np.random.default_rng(0).integers(V, size=(100, 5))
SHAPE = {"n_layers": 1, "n_heads": 1, "width": 4, "context": 8}
HOW = EmbeddedModel(source="embedded", **SHAPE, batch=2, learning_rate=0.02, precision="float32")


@pytest.fixture(autouse=True)
def _few_tokens(monkeypatch):
    monkeypatch.setattr(capacity, "VOCABULARY", V)


@pytest.mark.parametrize(("share", "bits"), [(1 / V, 0), (0.5, 2), (1 / 16, -1)])
def test_bits_are_those_by_which_the_true_token_is_likelier_than_by_chance(share, bits):
    """The model gives every true token this probability, and its peers the rest."""

    def model(part, use_cache):
        logits = torch.full((*part.shape, V), np.log((1 - share) / (V - 1)))
        logits[:, :-1].scatter_(2, part[:, 1:, None], np.log(share))
        return SimpleNamespace(logits=logits)

    found, nll = capacity.held(model, ROWS)
    assert found == pytest.approx(bits * 400, abs=1e-3) and nll == pytest.approx(-np.log(share), abs=1e-6)


def test_a_model_holds_no_bits_of_random_tokens_that_it_never_saw():
    model = new_model(V, n_layers=1, n_heads=1, width=8, context=5, seed=0)
    assert -20 < capacity.held(model, ROWS)[0] <= 0


def test_texts_are_doubled_and_trained_on_until_neither_adds_five_per_cent(monkeypatch, tmp_path):
    """Bits per round of a model that holds half of a text after one round, all but a tenth of its 3 later."""
    rounds = lambda text, *_: iter([{"bits": min(0.9 * text, 3.0), "converged": True}])  # noqa: E731
    monkeypatch.setattr(capacity, "learned", rounds)
    found = list(capacity.filled(HOW, 0, tmp_path))
    assert [row["bits"] for row in found] == pytest.approx([0.9, 1.8, 3.0, 3.0])
    assert all(row["converged"] for row in found)


def test_a_model_that_holds_more_of_the_largest_text_is_not_full(monkeypatch, tmp_path):
    rounds = lambda text, *_: iter([{"bits": 0.9 * text, "converged": True}])  # noqa: E731
    monkeypatch.setattr(capacity, "learned", rounds)
    found = list(capacity.filled(HOW, 0, tmp_path))
    assert [row["converged"] for row in found] == [True, True, True, False]


@pytest.mark.parametrize(("held", "n_rounds"), [([1, 2, 2.05, 9], 3), ([1, 2, 3, 4], 4), ([-3, -2, -1], 2)])
def test_training_ends_with_the_round_that_adds_little(monkeypatch, tmp_path, held, n_rounds):
    answers = iter(held)
    monkeypatch.setattr(capacity, "held", lambda *_: (next(answers), 1.0))
    monkeypatch.setattr(capacity, "Training", lambda *_, **__: SimpleNamespace(run=lambda *_: None))
    found = list(capacity.learned(2, HOW, 0, tmp_path))
    assert [row["bits"] for row in found] == held[:n_rounds]
    assert [row["passes"] for row in found] == [25, 75, 175, 375][:n_rounds]
    assert [row["converged"] for row in found] == [False] * (n_rounds - 1) + [n_rounds < 4]


def test_a_model_learns_part_of_a_text_and_goes_on_where_it_was_killed(monkeypatch, tmp_path):
    def rows(folder):
        return list(capacity.learned(1, HOW, 0, tmp_path / folder))

    monkeypatch.setattr(capacity, "PASSES", 10)
    monkeypatch.setattr(capacity, "ROUNDS", 2)
    whole = rows("whole")
    last = whole[-1]
    assert last["text_bits"] >= last["weights"] and last["tokens"] * 3 == last["text_bits"]
    assert 0.1 < last["bits"] / last["text_bits"] < 1 and last["steps"] == 30 * 7
    n_runs, run = 0, capacity.Training.run

    def killed(*given):
        nonlocal n_runs
        n_runs += 1
        run(*given)
        if n_runs == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(capacity.Training, "run", killed)
        with pytest.raises(KeyboardInterrupt):
            rows("killed")
    assert rows("killed") == whole
