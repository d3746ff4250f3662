"""Kinds of recited paragraphs: a planted difference at equal NLL is found, and few pairs are refused."""

import numpy as np
import pytest
from figure_labels import SETTINGS, checked
from made_tables import frame_of

from memloc.figures import kinds
from memloc.tables.columns import Lengths

LENGTHS = Lengths(100, 50)


def tables(n, ratio, shift=1.0):
    """n memories and n reconstructions, whose NLLs are the same but for a factor. Gradients and heads follow
    the NLL; those of memories are larger. One token is needed, and by most memories another one."""
    ids, memory = np.arange(2 * n), np.repeat([True, False], n)
    nll = np.tile(np.geomspace(0.02, 0.2, n), 2) * np.where(memory, shift, 1)
    size = nll * np.where(memory, ratio * 1.1 ** (1 - 2 * (ids % 2)), 1)
    kind = np.where(memory, np.where(ids % 2, "recitation", "recollection"), "reconstruction")
    place = np.repeat([-1, 0, 7, 9], 2 * n)
    ended = (place == 7) | (place == 9) & np.tile(memory & (ids % 4 > 0), 4) & (ratio > 1)
    trials = {"id": np.tile(ids, 4), "position": place, "em": np.where(ended, 49, 50)}
    return {
        "kinds": frame_of("kinds", id=ids, kind=kind),
        "near_copies": frame_of("near_copies", id=ids, within_0=np.maximum(ids - 1, 0), within_10=ids),
        "sets": frame_of("sets", id=ids, set="memorized"),
        "scores": frame_of("scores", LENGTHS, id=ids, nll=nll),
        "paragraph_gradients": frame_of("paragraph_gradients", id=ids, sum_abs=size),
        "head_ablation": frame_of("head_ablation", LENGTHS, id=ids, nll_gained=size),
        "perturbation": frame_of("perturbation", LENGTHS, **trials),
    }


def test_memories_are_compared_with_reconstructions_of_their_nll():
    drawing = kinds.draw(tables(20, 1.5), SETTINGS)
    assert drawing.numbers["gradient"].value == pytest.approx(1.5) and drawing.numbers["gradient"].n == 20
    assert drawing.numbers["head"].value > 0 and drawing.numbers["prefix"].value == pytest.approx(0.75)
    assert drawing.data["prefix"].tolist() == [1, 2, 2, 2] * 5 + [1] * 20
    bars = [[bar.get_height() for bar in kind] for kind in drawing.figure.axes[0].containers]
    assert np.sum(bars, axis=0).tolist() == [2, 1, 4, 33]
    text = checked("kinds", drawing)
    assert text.startswith("By gradient and by head and by prefix, memories differ from reconstructions")
    assert "their gradients are 1.50 (" in text and "Of 1 without" in text
    assert "Of 40 recited paragraphs (40 memorized), a rule that knows other files alone gets 20" in text


@pytest.mark.parametrize("shift", [0.72, 1.0, 1.4])
def test_what_follows_the_nll_alone_shows_no_difference_whichever_kind_has_the_higher_one(shift):
    drawing = kinds.draw(tables(40, 1.0, shift), SETTINGS)
    assert drawing.numbers["gradient"].n > 20
    assert checked("kinds", drawing).startswith(
        "No difference shows in gradients, heads or prefixes between memories"
    )


def test_few_pairs_are_not_compared():
    assert "There are too few pairs" in checked("kinds", kinds.draw(tables(5, 1.5), SETTINGS))
