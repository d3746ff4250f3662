"""Trained masks: what they let through while they are trained, and what they keep."""

import pytest
import torch
from made_questions import question, subject

from memloc.model.subject import Subject
from memloc.planting import masks


def test_masks_keep_what_is_needed(memorizing_model, memorized_tokens, monkeypatch):
    """A head whose output is written nowhere is let go, and another is not.

    Of eight heads: the penalties are those of whole masks, for dozens of heads and thousands of neurons.
    """
    monkeypatch.setattr(masks, "PENALTIES", dict.fromkeys(masks.PENALTIES, 1.0))
    with torch.no_grad():
        for component in Subject(memorizing_model, 1).components:
            if component.name == "W_O" and component.layer == 1:
                component.view(memorizing_model.get_parameter(component.parameter))[2] = 0
    asked = question(memorizing_model, ("head",), masks=True)
    asked, own = asked._replace(tokens=memorized_tokens[:1]), Subject(memorizing_model, 12)
    for method in (masks.slimming, masks.hard_concrete):
        found = method(own, asked)["head"]
        assert found[1, 2] < found.median() and found.max() > found[1, 2] + 0.3


@pytest.fixture
def let_through(monkeypatch):
    """What masks multiply activations by in three steps, which are large."""
    monkeypatch.setattr(masks, "N_STEPS", 3)
    seen, masked = [], masks._masked_nll
    monkeypatch.setattr(masks, "_masked_nll", lambda *given: seen.append(given[2]) or masked(*given))
    return seen


def test_masks_let_nothing_negative_through(tiny_gpt_neo, let_through, monkeypatch):
    monkeypatch.setattr(masks, "LEARNING_RATE", 1.5)
    monkeypatch.setattr(masks, "PENALTIES", {"slimming": 1e6})
    masks.slimming(subject(tiny_gpt_neo), question(tiny_gpt_neo, ("neuron",)))
    assert [float(mask.detach().unique()) for mask in let_through] == [1, 0, 0]
