"""Bits of random tokens: models whose answers are known, and tiny ones that learn until they hold no more."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from memloc.model import training
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
    model = capacity.new_model(HOW, seed=0)
    assert abs(capacity.held(model, ROWS)[0]) < 12, "a hundredth of the text"


def test_a_model_learns_part_of_a_text_and_goes_on_where_it_was_killed(monkeypatch, tmp_path):
    monkeypatch.setattr(capacity, "PASSES", 30)
    monkeypatch.setattr(training, "CHECKPOINT_STEPS", 50)
    whole = capacity.learned(1, HOW, 0, tmp_path / "whole")
    assert whole["text_bits"] >= whole["weights"] and whole["tokens"] * 3 == whole["text_bits"]
    assert 0.1 < whole["bits"] / whole["text_bits"] < 1 and whole["steps"] == 30 * 8
    save = training.Training._save

    def killed(self, path):
        save(self, path)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(training.Training, "_save", killed)
        with pytest.raises(KeyboardInterrupt):
            capacity.learned(1, HOW, 0, tmp_path / "killed")
    steps = []
    monkeypatch.setattr(training.Training, "_save", lambda self, _: steps.append(self._done))
    assert capacity.learned(1, HOW, 0, tmp_path / "killed") == whole and steps == [100, 150, 200]
