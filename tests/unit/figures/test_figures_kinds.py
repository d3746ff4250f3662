"""Kinds of recited paragraphs: a planted difference at equal NLL is found, and few pairs are refused."""

import numpy as np
import pytest
from figure_labels import SETTINGS, checked
from made_tables import frame_of

from memloc.figures import kinds
from memloc.tables.columns import Lengths

LENGTHS = Lengths(100, 50)


def tables(n, ratio):
    """n memories and n reconstructions of the same NLLs; gradients and heads of memories are larger."""
    ids, memory = np.arange(2 * n), np.repeat([True, False], n)
    nll = np.tile(np.geomspace(0.02, 0.2, n), 2)
    size = nll * np.where(memory, ratio * 1.05 ** (1 - 2 * (ids % 2)), 1)
    kind = np.where(memory, np.where(ids % 2, "recitation", "recollection"), "reconstruction")
    return {
        "kinds": frame_of("kinds", id=ids, kind=kind),
        "near_copies": frame_of("near_copies", id=ids, within_0=np.where(ids > 1, 9, 0), within_10=ids),
        "sets": frame_of("sets", id=ids, set="memorized"),
        "scores": frame_of("scores", LENGTHS, id=ids, nll=nll),
        "paragraph_gradients": frame_of("paragraph_gradients", id=ids, sum_abs=size),
        "head_ablation": frame_of("head_ablation", LENGTHS, id=ids, nll_gained=size),
    }


def test_memories_are_compared_with_reconstructions_of_their_nll():
    drawing = kinds.draw(tables(20, 1.5), SETTINGS)
    assert drawing.numbers["gradient"].value == pytest.approx(1.5) and drawing.numbers["gradient"].n == 20
    assert drawing.numbers["head"].value > 0
    text = checked("kinds", drawing)
    assert text.startswith("Gradients and heads tell memories from reconstructions")
    assert "gradients of memories are 1.50 (" in text and "Of 1 without" in text
    assert "Of 40 recited paragraphs (40 memorized), 20 are reconstructions" in text
    text = checked("kinds", kinds.draw(tables(20, 1.0), SETTINGS))
    assert text.startswith("Neither gradients nor heads tell")


def test_few_pairs_are_not_compared():
    assert "There are too few pairs" in checked("kinds", kinds.draw(tables(5, 1.5), SETTINGS))
